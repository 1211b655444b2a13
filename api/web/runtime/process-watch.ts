import type { Api } from "../net/http.ts";
import type { Store } from "./store.ts";

/** What a session left running in the background: read when it comes into view, told by events from then on. */
export const createProcessWatch = ({ api, store }: { readonly api: Api; readonly store: Store }) => ({
  read(id: string): void {
    void api.processes(id).then(
      ({ data }) => store.act(id, { type: "processes", processes: data }),
      () => undefined, // that the session cannot be read is told by who reads its messages
    );
  },
  kill(id: string): void {
    void api.killProcess(id).then(
      ({ process }) => store.act(process.session_id, { type: "processes", processes: [process] }),
      (error: unknown) => store.report("The process was not ended.", error),
    );
  },
});
