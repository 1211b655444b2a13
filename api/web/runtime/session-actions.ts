import { newId } from "../../../common/base/ids.ts";
import type { CutAnswer, ImportBody, PatchSessionBody } from "../../../common/contracts/http.ts";
import type { Run } from "../../../common/contracts/run.ts";
import type { Session } from "../../../common/contracts/session.ts";
import { choiceOf } from "../model/profiles.ts";
import { keptBefore, lastPrompt } from "../model/turn-actions.ts";
import type { Drafts, Workbench } from "../model/workbench.ts";
import type { Api } from "../net/http.ts";
import type { Persist } from "./persist.ts";
import type { Store } from "./store.ts";

/** Pages read at most in search of one message. */
const MAX_PAGES = 20;

type Actions = Pick<
  Workbench,
  | "patch"
  | "makeTitle"
  | "duplicate"
  | "fork"
  | "goOn"
  | "importFile"
  | "clear"
  | "undo"
  | "cutFrom"
  | "retry"
  | "edit"
  | "reveal"
  | "setEditing"
>;

/** What a person does to a session beside writing in it. Each action tells of its failure itself. */
export const createSessionActions = (deps: {
  readonly api: Api;
  readonly store: Store;
  readonly persist: Persist;
  readonly drafts: Drafts;
  readonly select: (id: string) => void;
  readonly transcripts: {
    open(id: string): Promise<void>;
    readIfWanted(id: string): void;
    loadOlder(id: string): Promise<void>;
  };
}): Actions => {
  const { api, store, persist, drafts, transcripts } = deps;
  const stateOf = (id: string) => store.state().open.get(id);

  /** One change of a conversation at a time; resolves with false when it was refused. */
  const change = async (id: string, failure: string, work: () => Promise<void>): Promise<boolean> => {
    if (stateOf(id)?.changing !== false) return false;
    store.act(id, { type: "changing", changing: true });
    try {
      await work();
      return true;
    } catch (error) {
      store.report(failure, error);
      return false;
    } finally {
      store.act(id, { type: "changing", changing: false });
    }
  };

  const cut = async (id: string, work: () => Promise<CutAnswer>): Promise<CutAnswer> => {
    const answer = await work();
    store.dispatch({ type: "list_session", session: answer.session });
    store.act(id, { type: "outside", session: answer.session, cut: true });
    transcripts.readIfWanted(id);
    return answer;
  };

  /** `key` makes a lost answer harmless: the same request again finds the run that it began. */
  const rerun = async (
    id: string,
    message: { readonly id: string; readonly text: string },
    start: (key: string) => Promise<{ run: Run }>,
  ): Promise<void> => {
    const key = newId("key");
    const { run } = await persist(() => start(key));
    store.act(id, { type: "replaced", messageId: message.id, key, text: message.text, run });
  };

  /** Pages back until `found`; false when the beginning or the limit came first. */
  const pageBack = async (id: string, found: () => boolean): Promise<boolean> => {
    for (let pages = 0; !found() && pages < MAX_PAGES; pages++) {
      const before = stateOf(id)?.older ?? null;
      if (before === null) break;
      await transcripts.loadOlder(id);
      if (stateOf(id)?.older === before) break; // the read failed, which was told
    }
    return found();
  };

  /** Shows the session that the server has made, or found. */
  const showMade = (work: Promise<{ session: Session }>, failure: string): void => {
    work.then(
      ({ session }) => {
        store.dispatch({ type: "list_session", session });
        deps.select(session.id);
      },
      (error: unknown) => store.report(failure, error),
    );
  };

  return {
    patch(id, body: PatchSessionBody) {
      const failure =
        body.profile !== undefined
          ? "The profile of the session was not changed."
          : body.title === undefined
            ? "The session was not changed."
            : "The title was not saved.";
      api.patchSession(id, body).then(
        ({ session }) => store.took(session),
        (error: unknown) => store.report(failure, error),
      );
    },
    makeTitle(id) {
      api.makeTitle(id).then(
        // Without one it is still being worked on, and comes with an event.
        ({ session }) => session !== undefined && store.took(session),
        (error: unknown) => store.report("No title was made.", error),
      );
    },
    duplicate: (id) => showMade(api.duplicate(id), "The session was not duplicated."),
    fork: (id, through) => showMade(api.fork(id, through), "The session was not forked."),
    goOn: (id) => showMade(api.continueSession(id), "The new session was not made."),
    importFile(text) {
      let file: ImportBody;
      try {
        file = JSON.parse(text) as ImportBody;
      } catch {
        store.report("The file was not imported.", new Error("It is no JSON."));
        return;
      }
      const profile = choiceOf(store.state().profiles);
      showMade(api.importSession({ profile, ...file }), "The file was not imported.");
    },
    clear(id) {
      void change(id, "The conversation was not cleared.", async () => {
        await cut(id, () => api.clear(id));
      });
    },
    undo(id) {
      void change(id, "The last turn was not taken back.", async () => {
        const { input } = await cut(id, () => api.undo(id));
        if (input === null || drafts.read(id).trim() !== "") return;
        drafts.write(id, input);
        store.dispatch({ type: "drafted" });
      });
    },
    cutFrom(id, messageId) {
      void change(id, "The messages were not deleted.", async () => {
        const place = () => {
          const state = stateOf(id);
          return state === undefined ? ({ keep: "unknown" } as const) : keptBefore(state, messageId);
        };
        await pageBack(id, () => place().keep !== "unknown");
        const kept = place();
        if (kept.keep === "unknown") throw new Error("The message before them could not be found.");
        await cut(id, () => (kept.keep === "through" ? api.truncate(id, kept.id) : api.clear(id)));
      });
    },
    retry(id) {
      void change(id, "The prompt was not run again.", async () => {
        const prompt = lastPrompt(stateOf(id)?.messages ?? []);
        if (prompt === null) throw new Error("There is no prompt.");
        // What nobody typed is shown when it is there, as what it is.
        const text = prompt.source === undefined ? prompt.content : "";
        await rerun(id, { id: prompt.id, text }, (key) => api.retry(id, key));
      });
    },
    edit: (id, messageId, text) =>
      change(id, "The message was not changed.", () =>
        rerun(id, { id: messageId, text }, (key) => api.edit(id, messageId, text, key)),
      ),
    setEditing(id, messageId) {
      store.act(id, { type: "editing", messageId });
      if (messageId === null) transcripts.readIfWanted(id); // what waited for the end of the editing
    },
    reveal(id, messageId) {
      const isHere = (): boolean => stateOf(id)?.messages.some((m) => m.id === messageId) ?? false;
      const search = async (): Promise<void> => {
        await transcripts.open(id);
        if (store.state().selected !== id) return;
        if (await pageBack(id, isHere)) store.act(id, { type: "reveal", messageId });
        else if (stateOf(id)?.phase === "ready")
          store.report(
            "The message was not found.",
            new Error("It may have been deleted, or stand far back."),
          );
      };
      deps.select(id);
      void search();
    },
  };
};
