import type { Page } from "../../../common/contracts/http.ts";
import {
  createOperationsState,
  type ListPage,
  OPERATIONS_PAGE,
  type Operations,
  type OperationsState,
  type Said,
} from "../model/operations.ts";
import type { Surroundings } from "../net/event-connection.ts";
import { type Api, ApiError } from "../net/http.ts";

const LOOK_EVERY_MS = 5_000;

/** Looks at the deployment every few seconds while somebody sees the page. Ends with the page. */
export const createOperations = ({
  api,
  surroundings,
  every,
}: {
  readonly api: Pick<
    Api,
    | "ops"
    | "opsRuns"
    | "opsJobs"
    | "deadLetters"
    | "retryJob"
    | "retryJobs"
    | "requeueRun"
    | "drainWorker"
    | "login"
  >;
  readonly surroundings: Pick<Surroundings, "hidden" | "online" | "onReturn">;
  /** Does something again and again, in milliseconds. */
  readonly every: (work: () => void, ms: number) => void;
}): Operations => {
  let state = createOperationsState();
  const listeners = new Set<() => void>();
  const set = (change: Partial<OperationsState>): void => {
    state = { ...state, ...change };
    for (const listener of listeners) listener();
  };

  /** Counts looks: an answer that a newer look has overtaken is dropped. */
  let looks = 0;
  const look = async (): Promise<void> => {
    looks += 1;
    const mine = looks;
    const { runs, letters, jobs, status } = state;
    try {
      const [{ ops }, runPage, letterPage, jobPage] = await Promise.all([
        api.ops(),
        api.opsRuns({ ...queryOf(runs), ...(status === null ? {} : { status }) }),
        api.deadLetters(queryOf(letters)),
        api.opsJobs(queryOf(jobs)),
      ]);
      if (mine !== looks) return;
      set({
        phase: "ready",
        problem: null,
        ops,
        runs: pageOf(runs, runPage),
        letters: pageOf(letters, letterPage),
        jobs: pageOf(jobs, jobPage),
      });
    } catch (error) {
      if (mine !== looks) return;
      if (error instanceof ApiError && error.status === 401) set({ phase: "signed_out", problem: null });
      else set({ problem: messageOf(error) });
    }
  };
  const lookIfSeen = (): void => {
    if (!surroundings.hidden() && surroundings.online()) void look();
  };
  every(lookIfSeen, LOOK_EVERY_MS);
  surroundings.onReturn(lookIfSeen);
  void look();

  /** Asks for something once at a time, says how it went, and looks what has become of it. */
  const ask = async (what: string, work: () => Promise<Said>): Promise<void> => {
    if (state.underway.has(what)) return;
    set({ underway: new Set([...state.underway, what]) });
    const said = await work().catch((error: unknown): Said => ({ text: messageOf(error), tone: "trouble" }));
    set({ said });
    await look();
    set({ underway: new Set([...state.underway].filter((one) => one !== what)) });
  };

  return {
    getState: () => state,
    subscribe(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    turn(list, to) {
      const page = state[list];
      if (to === "next" && page.next === null) return;
      const trail = to === "next" ? [...page.trail, page.next ?? ""] : page.trail.slice(0, -1);
      // The buttons wait for the page, so that nobody turns from one that is not there yet.
      set({ [list]: { ...page, trail, next: null } });
      void look();
    },
    filter(status) {
      set({ status, runs: { ...state.runs, trail: [], next: null } });
      void look();
    },
    retry: (job) =>
      ask(job.id, async () => {
        await api.retryJob(job.id);
        return { text: `The ${job.kind} is being made again.`, tone: "good", sessionId: job.session_id };
      }),
    retryAll: (kind) =>
      ask(`all ${kind}`, async () => {
        const { retried, left } = await api.retryJobs(kind);
        const rest = left === 0 ? "" : ` ${left} more failed: ask again when these are done.`;
        return {
          text: `${retried} ${retried === 1 ? "job is" : "jobs are"} queued again.${rest}`,
          tone: "good",
        };
      }),
    requeue: ({ id }) =>
      ask(id, async () => {
        const { run } = await api.requeueRun(id);
        return { text: `Queued again as ${run.id}.`, tone: "good", sessionId: run.session_id };
      }),
    drain: (worker) =>
      ask(worker, async () => {
        await api.drainWorker(worker);
        return {
          text: `${worker} takes no more jobs and ends when it has handed back what it had.`,
          tone: "good",
        };
      }),
    closeSaid: () => set({ said: null }),
    async signIn(password) {
      try {
        await api.login(password);
      } catch (error) {
        return messageOf(error);
      }
      set({ phase: "loading" });
      await look();
      return null;
    },
  };
};

const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));

const pageOf = <T>({ trail }: ListPage<T>, { data, next_cursor }: Page<T>): ListPage<T> => ({
  ...{ items: data, at: trail.length, trail, next: next_cursor },
});

const queryOf = ({ trail }: ListPage<unknown>): { limit: number; cursor?: string } => {
  const cursor = trail.at(-1);
  return cursor === undefined ? { limit: OPERATIONS_PAGE } : { limit: OPERATIONS_PAGE, cursor };
};
