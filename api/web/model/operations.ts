import type { Job } from "../../../common/contracts/job.ts";
import type { DeadLetter, Ops, OpsRun } from "../../../common/contracts/ops.ts";

/** A page of a list that is looked at, and how to come to the ones beside it. */
export interface ListPage<T> {
  readonly items: readonly T[];
  /** How many pages are before that of `items`; another number than the trail's while a page is on its way. */
  readonly at: number;
  /** Cursors of this page and those before it; the first page has none. */
  readonly trail: readonly string[];
  readonly next: string | null;
}

/** The lists that are turned page by page. */
export type OperationsList = "runs" | "letters" | "jobs";

export interface OperationsState {
  readonly phase: "loading" | "ready" | "signed_out";
  /** Why the last look failed; what is shown is older then. */
  readonly problem: string | null;
  readonly ops: Ops | null;
  /** Runs of this status alone; null: all. */
  readonly status: OpsRun["status"] | null;
  readonly runs: ListPage<OpsRun>;
  readonly letters: ListPage<DeadLetter>;
  readonly jobs: ListPage<Job>;
  /** What became of the last thing that was asked for. */
  readonly said: Said | null;
  /** What is on its way: a button that was pressed waits. */
  readonly underway: ReadonlySet<string>;
}

/** What became of something that was asked for. */
export interface Said {
  readonly text: string;
  readonly tone: "good" | "trouble";
  /** The session where it can be seen. */
  readonly sessionId?: string;
}

/** Rows of a page: a thousand runs are never drawn at once. */
export const OPERATIONS_PAGE = 50;

/** What the operator's page can do. What is asked for never rejects: how it went is the state's `said`. */
export interface Operations {
  getState(): OperationsState;
  subscribe(listener: () => void): () => void;
  turn(list: OperationsList, to: "next" | "previous"): void;
  /** Shows runs of this status alone, from the first page on. */
  filter(status: OpsRun["status"] | null): void;
  /** Asks for a failed job again. */
  retry(job: Pick<Job, "id" | "kind" | "session_id">): Promise<void>;
  /** Asks for all failed jobs of a kind again, a hundred at most. */
  retryAll(kind: Job["kind"]): Promise<void>;
  /** Runs the message of a failed run again. */
  requeue(letter: Pick<DeadLetter, "id">): Promise<void>;
  /** Tells a worker to stop. */
  drain(worker: string): Promise<void>;
  closeSaid(): void;
  /** Null, or why not. Never rejects. */
  signIn(password: string): Promise<string | null>;
}

const NOTHING = { items: [], at: 0, trail: [], next: null } as const;
export const createOperationsState = (): OperationsState => ({
  phase: "loading",
  problem: null,
  ops: null,
  status: null,
  runs: NOTHING,
  letters: NOTHING,
  jobs: NOTHING,
  said: null,
  underway: new Set(),
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
  ...(workers ?? []).flatMap(({ name, stalled_since }) =>
    stalled_since === null ? [] : [`${name} takes no jobs, though it should. It restarts its connections.`],
  ),
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

/** Where in the list a page is: "51–100", or "51–100 of 1,000" where the number of all is known. */
export const placeText = (page: ListPage<unknown>, size: number, all: number | null = null): string => {
  const from = page.at * size + 1;
  if (page.items.length === 0) return "none";
  const to = from + page.items.length - 1;
  // Counted a moment before the page was read: never "51–100 of 98".
  return `${from}–${to}${all === null ? "" : ` of ${numberText(Math.max(all, to))}`}`;
};

/** A count as people read it: "1,000". */
export const numberText = (n: number): string => n.toLocaleString("en");

/** Where bull-board shows a run's job; null where it is off or the run has none. */
export const jobUrl = (dashboard: string | null, job: OpsRun["job"]): string | null =>
  dashboard === null || job === null
    ? null
    : `${dashboard}/queue/${encodeURIComponent(job.queue)}/${encodeURIComponent(job.id)}`;

/** Runs of a status, or all that have not ended. */
export const runsOf = ({ runs }: Ops, status: OpsRun["status"] | null): number =>
  runs.reduce((sum, one) => sum + (status === null || one.status === status ? one.runs : 0), 0);
