import { toldVersion } from "../model/compression.ts";
import type { CompressionCommands } from "../model/workbench.ts";
import type { Api } from "../net/http.ts";
import { createTakeJob } from "./jobs.ts";
import { createAttempt } from "./problem.ts";
import type { Store } from "./store.ts";

/** After a list that could not be read; events come many times in a second. */
const READ_AGAIN_MS = 5_000;

/** Compressions of the sessions that are open: what was made, what goes on, and what a person does about it. */
export const createCompression = ({
  api,
  store,
  now,
}: {
  readonly api: Api;
  readonly store: Store;
  /** Milliseconds of any clock that only goes on. */
  readonly now: () => number;
}): { readonly commands: CompressionCommands; opened(id: string): void; check(id: string): void } => {
  const reading = new Set<string>();
  /** When the list of a session could not be read. */
  const failed = new Map<string, number>();
  const summaries = new Map<string, string>();

  const read = async (id: string): Promise<void> => {
    if (reading.has(id)) return;
    reading.add(id);
    const told = versionOf(id);
    try {
      store.act(id, { type: "contexts", contexts: (await api.contexts(id)).data, told });
      failed.delete(id);
    } catch {
      // A later event of the session asks again; what troubles the conversation itself is told there.
      failed.set(id, now());
    } finally {
      reading.delete(id);
    }
    check(id); // one more may have been told of meanwhile
  };
  const check = (id: string): void => {
    const failedAt = failed.get(id);
    const isWanted =
      failedAt === undefined
        ? versionOf(id) > (store.state().open.get(id)?.contextsTold ?? 0)
        : now() - failedAt >= READ_AGAIN_MS;
    if (isWanted) void read(id);
  };
  const versionOf = (id: string): number => {
    const state = store.state().open.get(id);
    return state === undefined ? 0 : toldVersion(state);
  };
  const attempt = createAttempt(store);
  const takeJob = createTakeJob(store);

  return {
    /** A session came into view: background work may have been going on before. */
    opened(id) {
      void read(id);
      api.jobs(id).then(
        ({ data }) => {
          for (const job of data) {
            const known = store.state().open.get(id)?.jobs[job.kind];
            const isMissedEnd = known?.id === job.id && known.ended_at === null;
            if (job.ended_at === null || isMissedEnd) store.act(id, { type: "job", job });
          }
        },
        () => undefined, // told by the next event
      );
    },
    check,
    commands: {
      preview: (id) => attempt(() => api.previewCompression(id)),
      start: (id, focus) =>
        attempt(async () => {
          const { job } = await api.compress(id, focus);
          store.act(id, { type: "job", job });
          return null;
        }),
      cancel: (id, jobId) => takeJob(id, "The compression was not cancelled.", api.cancelJob(jobId)),
      retry: (id, jobId) => takeJob(id, "The compression was not begun again.", api.retryJob(jobId)),
      async summary(id, version) {
        const key = `${id} ${version}`;
        const known = summaries.get(key);
        if (known !== undefined) return known;
        try {
          const { summary } = (await api.context(id, version)).context;
          summaries.set(key, summary);
          return summary;
        } catch (error) {
          store.report("The summary could not be read.", error);
          return null;
        }
      },
    },
  };
};
