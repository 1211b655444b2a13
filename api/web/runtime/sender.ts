import { newId } from "../../../common/base/ids.ts";
import type { Api } from "../net/http.ts";
import type { Persist } from "./persist.ts";
import type { Store } from "./store.ts";

/** Sends messages and stops. A lost answer is asked for again with the same key, so that one message stays one (C-4). */
export const createSender = ({
  api,
  store,
  persist,
}: {
  readonly api: Api;
  readonly store: Store;
  readonly persist: Persist;
}) => {
  const start = async (id: string, text: string, prepare: () => Promise<void>): Promise<boolean> => {
    const key = newId("key");
    store.act(id, { type: "start_sent", key, text });
    const retrying = (): void => store.act(id, { type: "start_retrying", key });
    try {
      await persist(prepare, retrying);
      const { run } = await persist(() => api.startRun(id, text, key), retrying);
      store.act(id, { type: "start_accepted", key, run });
      return true;
    } catch (error) {
      store.act(id, { type: "start_failed", key });
      store.report("The message was not sent.", error);
      return false;
    }
  };

  return {
    /** Resolves with false when the text has to go back to the composer. */
    send: (id: string, text: string): Promise<boolean> => start(id, text, async () => undefined),
    /** As `send`, creating the session in the profile first; `created` is called when it exists. */
    sendToNew: (
      { id, profile }: { readonly id: string; readonly profile: string },
      text: string,
      created: () => void,
    ): Promise<boolean> => {
      let done = false;
      return start(id, text, async () => {
        if (done) return;
        const { session } = await api.createSession(id, profile); // the id makes it repeatable
        done = true;
        store.took(session);
        created();
      });
    },
    cancel: (runId: string): Promise<unknown> => persist(() => api.cancelRun(runId)),
  };
};
