import type { Job } from "../../../common/contracts/job.ts";
import type { Ops, OpsRun } from "../../../common/contracts/ops.ts";

/** A page of a list that is looked at, and how to come to the ones beside it. */
export interface ListPage<T> {
  readonly items: readonly T[];
  /** Cursors of this page and those before it; the first page has none. */
  readonly trail: readonly string[];
  readonly next: string | null;
}

export interface OperationsState {
  /** `signed_out`: the login is on the page of the sessions. */
  readonly phase: "loading" | "ready" | "signed_out";
  /** Why the last look failed; what is shown is older then. */
  readonly problem: string | null;
  readonly ops: Ops | null;
  readonly runs: ListPage<OpsRun>;
  readonly jobs: ListPage<Job>;
}

/** Rows of a page: a thousand runs are never drawn at once. */
export const OPERATIONS_PAGE = 50;

/** What the operator's page can do. */
export interface Operations {
  getState(): OperationsState;
  subscribe(listener: () => void): () => void;
  turn(list: "runs" | "jobs", to: "next" | "previous"): void;
  /** Asks for a failed job again. Never rejects: what went wrong is the state's `problem`. */
  retry(jobId: string): Promise<void>;
}

const NOTHING = { items: [], trail: [], next: null } as const;
export const createOperationsState = (): OperationsState => ({
  phase: "loading",
  problem: null,
  ops: null,
  runs: NOTHING,
  jobs: NOTHING,
});

/** A span of time in one or two units: "8 s", "3 min", "2 h 5 min", "4 d 3 h". */
export const spanText = (seconds: number): string => {
  const s = Math.max(0, Math.round(seconds));
  if (s < 60) return `${s} s`;
  const [big, bigName, small, smallName] =
    s < 3600
      ? [Math.floor(s / 60), "min", 0, ""]
      : s < 86_400
        ? [Math.floor(s / 3600), "h", Math.floor((s % 3600) / 60), "min"]
        : [Math.floor(s / 86_400), "d", Math.floor((s % 86_400) / 3600), "h"];
  return small === 0 ? `${big} ${bigName}` : `${big} ${bigName} ${small} ${smallName}`;
};

/** Bytes as people read them: "512 B", "1.5 MiB". */
export const bytesText = (bytes: number): string => {
  const units = ["B", "KiB", "MiB", "GiB", "TiB"];
  let value = bytes;
  let unit = 0;
  while (value >= 1024 && unit < units.length - 1) {
    value /= 1024;
    unit += 1;
  }
  return `${unit === 0 || value >= 100 ? Math.round(value) : value.toFixed(1)} ${units[unit]}`;
};

/** What somebody should look at first, one sentence each. */
export const alarmsOf = ({ workers, backlog, redis, maintenance }: Ops): readonly string[] => [
  ...(workers === null ? ["Redis cannot be reached: messages are accepted, and begin when it is back."] : []),
  ...(workers?.length === 0 ? ["No worker is running."] : []),
  ...(backlog ?? []).flatMap(({ alarm, message }) => (alarm ? [message] : [])),
  ...(redis !== null &&
  redis.max_memory_bytes !== null &&
  redis.used_memory_bytes > 0.9 * redis.max_memory_bytes
    ? ["Redis has used nine tenths of the memory that it may use."]
    : []),
  ...maintenanceAlarms(maintenance),
];

const maintenanceAlarms = (maintenance: Ops["maintenance"]): readonly string[] => {
  const late = maintenance.filter(({ alarm }) => alarm).map(({ task }) => task);
  return late.length === 0
    ? []
    : [`Maintenance is late (${late.join(", ")}): no worker serves the queue "maintenance", or it fails.`];
};

/** Where in the list a page is: "51–100", and whether it is all there is. */
export const placeText = (page: ListPage<unknown>, size: number): string => {
  const from = page.trail.length * size + 1;
  return page.items.length === 0 ? "none" : `${from}–${from + page.items.length - 1}`;
};
