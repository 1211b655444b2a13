import type { ListRunsQuery, Page } from "../contracts/http.ts";
import type { Message } from "../contracts/message.ts";
import type { RunLimits } from "../contracts/profile.ts";
import type { Run } from "../contracts/run.ts";
import type { NewCut } from "../sessions/cut-ops.ts";

export interface AcceptRequest {
  readonly sessionId: string;
  /** The message's text, as it goes to the model. */
  readonly text: string;
  readonly model: string | null;
  readonly onBusy: "reject" | "queue";
  readonly recovery: "resume" | "fail";
  /** `Idempotency-Key`, kept 48 h together with a hash of the body. */
  readonly idempotency: { readonly key: string; readonly bodyHash: string } | null;
  /** The profile's configuration at this moment; null or absent: not known. */
  readonly configRevision?: string | null;
  /** W3C `traceparent` that the run belongs to; null or absent: none. */
  readonly traceparent?: string | null;
  /** What the profile allows of its runs at this moment; null or absent: not known, what was known stays. */
  readonly limits?: RunLimits | null;
  /** Messages that the new one takes the place of (retry, edit). */
  readonly cut?: NewCut;
  /** What the system says in place of a person (background-jobs B-38). */
  readonly made?: {
    readonly source: "process";
    readonly parts: readonly Readonly<Record<string, unknown>>[];
    /** As one line of a list; of a message that is sent again the parts say it. */
    readonly headline?: string;
  };
}

/** What the HTTP layer needs of runs. `RunLedger` (ledger.ts) adds what lifecycle and workers need. */
export interface RunStore {
  /**
   * One transaction: user message, run row, idempotency key, outbox. Durable when it resolves (reliability 1).
   * Rejects with `session_not_found`, `session_busy` (details `{active_run_id}`), `idempotency_mismatch`.
   */
  accept(
    request: AcceptRequest,
  ): Promise<{ readonly run: Run; readonly message: Message; readonly replayed: boolean }>;
  /** The run that a request with this key started before; null: none. Rejects with `idempotency_mismatch`. */
  replay(
    sessionId: string,
    idempotency: { readonly key: string; readonly bodyHash: string },
  ): Promise<Run | null>;
  /** Rejects with `run_not_found`. `last_event_id` is null: the journal knows it. */
  get(id: string): Promise<Run>;
  /** Newest first. */
  list(query: ListRunsQuery): Promise<Page<Run>>;
  /** Runs of the session that have not ended, in the order they will run. */
  unfinished(sessionId: string): Promise<readonly Run[]>;
}
