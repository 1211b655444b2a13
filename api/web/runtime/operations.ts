import {
  createOperationsState,
  type ListPage,
  OPERATIONS_PAGE,
  type Operations,
  type OperationsState,
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
  readonly api: Pick<Api, "ops" | "opsRuns" | "opsJobs" | "opsDeliveries" | "retryJob" | "retryDelivery">;
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
    const { runs, jobs, deliveries } = state;
    try {
      const [{ ops }, runPage, jobPage, deliveryPage] = await Promise.all([
        api.ops(),
        api.opsRuns(queryOf(runs)),
        api.opsJobs(queryOf(jobs)),
        api.opsDeliveries(queryOf(deliveries)),
      ]);
      if (mine !== looks) return;
      set({
        phase: "ready",
        problem: null,
        ops,
        runs: { ...runs, items: runPage.data, next: runPage.next_cursor },
        jobs: { ...jobs, items: jobPage.data, next: jobPage.next_cursor },
        deliveries: { ...deliveries, items: deliveryPage.data, next: deliveryPage.next_cursor },
      });
    } catch (error) {
      if (mine !== looks) return;
      if (error instanceof ApiError && error.status === 401) set({ phase: "signed_out", problem: null });
      else set({ problem: error instanceof Error ? error.message : String(error) });
    }
  };
  const lookIfSeen = (): void => {
    if (!surroundings.hidden() && surroundings.online()) void look();
  };
  every(lookIfSeen, LOOK_EVERY_MS);
  surroundings.onReturn(lookIfSeen);
  void look();

  const andLook = async (work: Promise<unknown>): Promise<void> => {
    try {
      await work;
    } catch (error) {
      set({ problem: error instanceof Error ? error.message : String(error) });
      return;
    }
    await look();
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
    retry: (jobId) => andLook(api.retryJob(jobId)),
    sendAgain: (deliveryId) => andLook(api.retryDelivery(deliveryId)),
  };
};

const queryOf = ({ trail }: ListPage<unknown>): { limit: number; cursor?: string } => {
  const cursor = trail.at(-1);
  return cursor === undefined ? { limit: OPERATIONS_PAGE } : { limit: OPERATIONS_PAGE, cursor };
};
