import { newId } from "../../../common/base/ids.ts";
import { createAppState, reduceApp } from "../model/app-state.ts";
import { choiceOf } from "../model/profiles.ts";
import type { SessionAction } from "../model/session-state.ts";
import type { Workbench } from "../model/workbench.ts";
import { createEventConnection } from "../net/event-connection.ts";
import { ApiError } from "../net/http.ts";
import { watchBacklog } from "./backlog-watch.ts";
import { createCompression } from "./compression.ts";
import { createFrameQueue } from "./frame-queue.ts";
import { createMessageSearch } from "./message-search.ts";
import { createOutsideWatch } from "./outside-watch.ts";
import { createPersist } from "./persist.ts";
import { createProcessWatch } from "./process-watch.ts";
import { createProfiles } from "./profiles.ts";
import { createReadMarker } from "./read-marker.ts";
import { createRecaps } from "./recaps.ts";
import { createSender } from "./sender.ts";
import { createSessionActions } from "./session-actions.ts";
import { createSessionList } from "./session-list.ts";
import type { Store, WorkbenchDeps } from "./store.ts";
import { createStoreWatch } from "./store-watch.ts";
import { createTranscriptReader } from "./transcript-reader.ts";
import { createUpdates } from "./updates.ts";

/** Joins the network to the model: the only place where both are known. Nothing of it touches the DOM. */
export const createWorkbench = (deps: WorkbenchDeps): Workbench => {
  let state = createAppState(deps.route.read());
  let toasts = 0;
  const listeners = new Set<() => void>();

  const store: Store = {
    state: () => state,
    dispatch(action) {
      const next = reduceApp(state, action);
      if (next === state) return;
      state = next;
      for (const listener of listeners) listener();
      marker.check();
    },
    act: (id, ...actions) => store.dispatch({ type: "session_action", id, actions }),
    took(session) {
      store.dispatch({ type: "list_session", session });
      store.act(session.id, { type: "session", session });
    },
    report(what, error) {
      if (error instanceof ApiError && error.status === 401) return store.dispatch({ type: "signed_out" });
      const text = `${what} ${error instanceof Error ? error.message : String(error)}`;
      const code = error instanceof ApiError ? error.code : null;
      toasts += 1;
      store.dispatch({ type: "toast", toast: { id: toasts, tone: "error", text, code } });
    },
  };

  const now = (): number => performance.now();
  const persist = createPersist(deps.surroundings);
  const { cameBack, ...recaps } = createRecaps({ api: deps.api, store, now });
  const marker = createReadMarker({ api: deps.api, store, surroundings: deps.surroundings, cameBack });
  const stores = createStoreWatch({ api: deps.api, store, now });
  watchBacklog({ api: deps.api, store, surroundings: deps.surroundings });
  const list = createSessionList({
    api: deps.api,
    store,
    search: createMessageSearch({ api: deps.api, store }),
  });
  const profiles = createProfiles({
    api: deps.api,
    store,
    choice: deps.profileChoice,
    now,
    list,
    removed: (id) => forget(id),
  });
  deps.surroundings.onReturn(profiles.changed);
  const updates = createUpdates({ api: deps.api, profile: () => choiceOf(state.profiles), now });
  deps.surroundings.onReturn(updates.look);
  /** Sessions whose creation is on its way: whoever asked for one would be told that there is none. */
  const unborn = new Set<string>();
  /** The session in view, if there is one that can be asked for. */
  const inView = (): string | null =>
    state.selected === null || unborn.has(state.selected) ? null : state.selected;
  const transcripts = createTranscriptReader({
    ...{ api: deps.api, store, surroundings: deps.surroundings },
    exists: (id) => !unborn.has(id),
  });
  const watch = createOutsideWatch({
    api: deps.api,
    store,
    surroundings: deps.surroundings,
    random: Math.random,
    now,
    readIfWanted: transcripts.readIfWanted,
    readList: list.changed,
  });
  const processes = createProcessWatch({ api: deps.api, store });
  const sender = createSender({ api: deps.api, store, persist });
  const actions = createSessionActions({
    api: deps.api,
    store,
    persist,
    drafts: deps.drafts,
    transcripts,
    select: (id) => show(id, "push"),
  });

  const compression = createCompression({ api: deps.api, store, now });

  const frames = createFrameQueue({
    schedule: deps.schedule,
    apply(sessionId, batch) {
      if (sessionId !== null) {
        const before = state.open.get(sessionId)?.gaps ?? 0;
        const actions = batch.filter((frame) => frame.event !== "sessions_changed");
        store.act(sessionId, ...actions.map((frame): SessionAction => ({ type: "frame", frame })));
        afterFrames(sessionId, before);
        if (actions.some((frame) => frame.event === "session_changed" && frame.data.reason === "deleted"))
          forget(sessionId);
      }
      const hints = batch.filter((frame) => frame.event === "sessions_changed");
      if (hints.length > 0) {
        list.changed();
        stores.changed();
      }
      for (const hint of hints) profiles.hinted(hint.data);
    },
  });

  /** A hole: connect again at the cursor; when it is still there, ask for the whole state (run-events 10.2). */
  const afterFrames = (id: string, gapsBefore: number): void => {
    const session = state.open.get(id);
    if (session === undefined) return;
    if (session.gaps > 0) {
      if (gapsBefore > 0 || session.cursor === null) store.act(id, { type: "forget_cursor" });
      if (state.selected === id) connection.restart();
      return;
    }
    transcripts.readIfWanted(id);
    compression.check(id);
  };

  const connection = createEventConnection({
    fetch: deps.fetch,
    surroundings: deps.surroundings,
    random: Math.random,
    target() {
      const sessionId = inView();
      return { sessionId, cursor: sessionId === null ? null : (state.open.get(sessionId)?.cursor ?? null) };
    },
    beforeConnect: frames.flush,
    onFrame: frames.push,
    onStatus(status) {
      if (status.kind === "open") {
        list.changed();
        stores.changed();
        profiles.changed();
        const id = inView();
        if (id !== null) {
          transcripts.readIfWanted(id);
          processes.read(id);
        }
      }
      if (status.kind === "signed_out") store.dispatch({ type: "signed_out" });
      if (status.kind === "refused" && status.status === 404 && state.selected !== null)
        store.act(state.selected, { type: "missing" });
      store.dispatch({ type: "connection", status });
      watch.status(status);
    },
  });

  /** `follow` false: the session is being created and cannot be followed yet. */
  const show = (id: string | null, mode: "push" | "replace" | null, follow = true): void => {
    if (id === state.selected && mode !== "replace") return;
    frames.flush();
    if (id === null) profiles.recall(); // another tab may have chosen since
    store.dispatch({ type: "select", id });
    if (mode !== null) deps.route.write(id, mode);
    if (!follow) return;
    connection.restart();
    if (id !== null && !unborn.has(id)) openSession(id);
  };

  const openSession = (id: string): void => {
    void transcripts.open(id);
    compression.opened(id);
  };

  const forget = (id: string): void => {
    const wasSelected = state.selected === id;
    store.dispatch({ type: "session_removed", id });
    if (!wasSelected) return;
    deps.route.write(null, "replace");
    connection.restart();
  };

  /** What was not sent stands in the composer again, before what was typed since. */
  const giveBack = (id: string | null, text: string): void => {
    const since = deps.drafts.read(id);
    deps.drafts.write(id, since === "" ? text : `${text}\n${since}`);
  };

  const begin = (): void => {
    connection.restart();
    list.changed();
    profiles.recall();
    profiles.changed();
    updates.look();
    void deps.api.settings().then(
      (settings) => store.dispatch({ type: "settings", botName: settings.bot_name }),
      () => undefined, // the default name serves (C-6)
    );
    if (state.selected !== null) openSession(state.selected);
  };
  deps.route.onPop(() => show(deps.route.read(), null));
  begin();

  return {
    getState: () => state,
    subscribe(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    drafts: deps.drafts,
    select: (id) => show(id, "push"),
    async send(id, text) {
      if (id !== null) {
        const sent = await sender.send(id, text);
        if (!sent) giveBack(id, text);
        return sent;
      }
      const created = newId("ses");
      unborn.add(created);
      show(created, "push", false);
      const home = { id: created, profile: choiceOf(state.profiles) };
      const sent = await sender.sendToNew(home, text, () => {
        unborn.delete(created);
        if (state.selected !== created) return;
        connection.restart();
        void transcripts.open(created);
      });
      unborn.delete(created);
      if (sent) return true;
      const exists = state.open.get(created)?.session != null;
      giveBack(exists ? created : null, text);
      if (!exists) forget(created);
      profiles.changed(); // it may be gone
      return false;
    },
    stop(sessionId, runId) {
      store.act(sessionId, { type: "stop_sent", runId });
      void sender.cancel(runId).catch((error: unknown) => {
        store.act(sessionId, { type: "stop_failed", runId }); // the turn stays live (C-20)
        store.report("The run could not be stopped.", error);
      });
    },
    killProcess: processes.kill,
    ...actions,
    ...recaps,
    rename: (id, title) => actions.patch(id, { title }),
    setAway: (id, away) => store.act(id, { type: "reader", away }),
    revealed: (id) => store.act(id, { type: "reveal", messageId: null }),
    remove(id) {
      deps.api.deleteSession(id).then(
        () => forget(id),
        (error: unknown) => store.report("The session was not deleted.", error),
      );
    },
    search: list.search,
    filter: list.filter,
    loadMoreSessions: list.loadMore,
    loadOlder: transcripts.loadOlder,
    retryLoad: (id) => void transcripts.open(id),
    async signIn(password) {
      try {
        await deps.api.login(password);
      } catch (error) {
        return error instanceof Error ? error.message : String(error);
      }
      store.dispatch({ type: "signed_in" });
      begin();
      return null;
    },
    profiles: profiles.commands,
    updates,
    compression: compression.commands,
    closeToast: (id) => store.dispatch({ type: "toast_closed", id }),
  };
};
