import { z } from "zod";
import { JobSchema } from "./job.ts";
import { MessageSchema } from "./message.ts";
import { ProcessSchema } from "./process.ts";
import { RunErrorCodeSchema, RunSchema, UsageSchema } from "./run.ts";
import { SessionSchema } from "./session.ts";

/**
 * The payloads of journaled run events (run-events section 2; native-api "Events"). On the wire every one of them also
 * carries `run_id`, `run_seq` and `attempt`, which the journal adds. Fields may be added, never change meaning.
 */
const step = z.number().int().positive().describe("model call within the run, from 1");
const turn = {
  session: SessionSchema,
  /** The committed messages of the turn; absent when they would not fit a frame (then read them over HTTP). */
  messages: z.array(MessageSchema).optional(),
};
const toolFields = {
  step,
  tid: z.string(),
  name: z.string(),
  /** Display copy, bounded by R-5; the transcript holds the full value. */
  args: z.record(z.string(), z.unknown()),
  truncated: z.boolean().optional(),
};

export const RUN_EVENT_SCHEMAS = {
  run_queued: z.object({ position: z.number().int().nonnegative(), message: MessageSchema }),
  run_started: z.object({ model: z.string(), profile: z.string() }),
  token: z.object({ text: z.string(), step }),
  reasoning: z.object({ text: z.string(), step }),
  tool: z.object({ event_type: z.literal("tool.started"), preview: z.string().nullable(), ...toolFields }),
  tool_complete: z.object({
    event_type: z.literal("tool.completed"),
    ...toolFields,
    /** At most 4000 characters of the result. */
    preview: z.string(),
    /** Seconds. */
    duration: z.number().nonnegative().optional(),
    is_error: z.boolean(),
    outcome: z.enum(["done", "stopped", "unknown"]),
  }),
  step_complete: z.object({ step, finish_reason: z.string() }),
  step_reset: z.object({ step, keep_run_seq: z.number().int().nonnegative() }),
  compressing: z.object({ session_id: z.string(), message: z.string() }),
  compressed: z.object({
    session_id: z.string(),
    message: z.string(),
    version: z.number().int(),
    usage: z.object({ tokens_before: z.number().int(), tokens_after: z.number().int() }),
  }),
  warning: z.object({ type: z.string(), message: z.string() }),
  done: z.object({ ...turn, usage: UsageSchema, terminal_state: z.literal("tool_limit_reached").optional() }),
  cancel: z.object({
    ...turn,
    message: z.string(),
    type: z.literal("cancelled"),
    status: z.literal("cancelled"),
  }),
  apperror: z.object({
    ...turn,
    session_id: z.string(),
    type: RunErrorCodeSchema,
    message: z.string(),
    hint: z.string().optional(),
    details: z.string().optional(),
  }),
  interrupted: z.object({ ...turn, session_id: z.string(), message: z.string() }),
  stream_end: z.object({ session_id: z.string() }),
} as const;

export type RunEventName = keyof typeof RUN_EVENT_SCHEMAS;
export type RunEventPayload<N extends RunEventName> = z.infer<(typeof RUN_EVENT_SCHEMAS)[N]>;
/** A run event as its writer hands it to the journal. */
export type RunEvent = {
  [N in RunEventName]: { readonly event: N; readonly payload: RunEventPayload<N> };
}[RunEventName];

/** The semantic ends of a run; exactly one per run, followed by `stream_end`. */
export const TERMINAL_EVENTS = ["done", "cancel", "apperror", "interrupted"] as const;
export type TerminalEventName = (typeof TERMINAL_EVENTS)[number];
export const isTerminalEvent = (event: string): event is TerminalEventName =>
  (TERMINAL_EVENTS as readonly string[]).includes(event);

/** Journaled events of a session that belong to no run. */
export const SESSION_EVENT_SCHEMAS = {
  session_changed: z.object({
    session: SessionSchema,
    /** external: another program wrote to state.db; cut: undo, retry, edit, truncate or clear took messages away. */
    reason: z.enum(["created", "patched", "deleted", "external", "cut"]),
    /** external: source of the session that was written to; "external" for one that this server made. */
    origin: z.string().optional(),
  }),
  /** The session got a title that nobody gave it (background-jobs B-12). */
  title: z.object({ session_id: z.string(), title: z.string(), session: SessionSchema }),
  /** Background work on the session changed its state (B-1). */
  job: z.object({ job: JobSchema }),
  /** A background process began or ended, or its end was told (B-35 to B-38). */
  process: z.object({ process: ProcessSchema }),
} as const;
export type SessionEventName = keyof typeof SESSION_EVENT_SCHEMAS;
/** A session event as its writer hands it to the journal. */
export type SessionEvent = {
  [N in SessionEventName]: {
    readonly event: N;
    readonly payload: z.infer<(typeof SESSION_EVENT_SCHEMAS)[N]>;
  };
}[SessionEventName];

/** Frames without an id: they never move a cursor. */
export const RESET_SCHEMA = z.object({
  run_id: z.string().nullable(),
  reason: z.enum(["unknown_cursor", "lost_tail"]),
});
/**
 * State instead of history. `events` are the frames' data of every run that has not ended (oldest first, as journaled,
 * with `event` added), so that folding them gives exactly what a client that saw them live would show.
 */
export const SNAPSHOT_SCHEMA = z.object({
  session: SessionSchema,
  runs: z.array(RunSchema).describe("runs that have not ended, in the order they will run"),
  events: z.array(z.record(z.string(), z.unknown())),
  /** Position the snapshot includes; events after it follow. null: the journal is empty. */
  last_event_id: z.string().nullable(),
});
export type Snapshot = z.infer<typeof SNAPSHOT_SCHEMA>;
/** A hint to read the list again; without `session_id` everything of the profile, and the profile itself, may have changed. */
export const SESSIONS_CHANGED_SCHEMA = z.object({
  session_id: z.string().optional(),
  profile: z.string().optional(),
});
export type SessionsChanged = z.infer<typeof SESSIONS_CHANGED_SCHEMA>;

/** The event names a frame may carry; the SSE writer refuses any other. */
export const FRAME_EVENTS: ReadonlySet<string> = new Set([
  ...Object.keys(RUN_EVENT_SCHEMAS),
  ...Object.keys(SESSION_EVENT_SCHEMAS),
  "reset",
  "snapshot",
  "sessions_changed",
]);

/** Fields that the journal adds to each run event. */
export const RUN_EVENT_ENVELOPE = z.object({
  run_id: z.string(),
  run_seq: z.number().int().positive(),
  attempt: z.number().int().nonnegative(),
});
export type RunEventEnvelope = z.infer<typeof RUN_EVENT_ENVELOPE>;
