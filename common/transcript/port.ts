import type { EffectiveContext } from "../compression/effective.ts";
import type { MessagePage } from "../contracts/http.ts";
import type { Message } from "../contracts/message.ts";
import type { Session, StoreState } from "../contracts/session.ts";
import type { NewCut } from "../sessions/cut-ops.ts";
import type { Place } from "../sessions/places.ts";
import type { Placed } from "./page.ts";
import type { Sight } from "./sight.ts";

/** The one transcript of sidecar and state.db, whoever wrote it (session-reconciliation part d). */
export interface Transcripts {
  /**
   * A page from the end, oldest first inside it; costs what the page holds. Answers from the sidecar alone, and says so, while
   * the store cannot be read. Rejects with `session_not_found`, with `invalid_request` for a cursor that is none of ours.
   */
  page(
    sessionId: string,
    query: { readonly limit: number; readonly before?: string | undefined },
  ): Promise<MessagePage>;
  /**
   * Every message, oldest first, with whole texts; holds two pages at most. `through`: id of the last one that is wanted. Rejects
   * with `message_not_found`, with `store_unavailable` where a part cannot be read.
   */
  all(sessionId: string, through?: string): AsyncIterable<Message>;
  /** One message with its whole text. Rejects with `message_not_found`. */
  message(sessionId: string, messageId: string): Promise<Message>;
  /** Where a message stands. Rejects with `message_not_found`. */
  place(sessionId: string, messageId: string): Promise<{ readonly sight: Sight; readonly place: Place }>;
  /** The last `count` user messages, newest first. */
  lastPrompts(
    sessionId: string,
    count: number,
  ): Promise<{
    readonly sight: Sight;
    readonly prompts: readonly Placed[];
    /** Messages from the oldest of the prompts on. */
    readonly following: number;
    /** Those among them that are shown from the store. */
    readonly stored: number;
  }>;
  /** Walks back from the end, page by page. */
  newestFirst(sessionId: string): AsyncIterable<Placed>;
  look(sessionId: string): Promise<Sight>;
  /** State of each profile's file as the mirror last saw it; "none" where there is none. */
  storeState(profile: string): Promise<StoreState>;
}

/** What the next model call of a run is given as history (part d, "next turn"). */
export interface RunContext extends EffectiveContext {
  /**
   * Of the session at this moment. `raw`: model set of the conversation's tip, then our turns that are not in the store yet, then the
   * run's own message.
   */
  readonly contextRevision: number;
  /** The store could not be read: what other programs wrote is missing. */
  readonly storeState: StoreState;
}

export interface SessionContext extends EffectiveContext {
  readonly contextRevision: number;
  readonly nextTurn: number;
}

export interface ContextReader {
  /** A later attempt of the run gets what the first one got. Rejects with `run_not_found`. */
  contextOf(runId: string): Promise<RunContext>;
  /**
   * The same of a session that no run is in. Rejects with `session_not_found`, with `store_unavailable` while its file cannot be
   * read.
   */
  sessionContext(sessionId: string): Promise<SessionContext>;
  /** A message's id as pages of the transcript give it, for one that a context gave. */
  shownId(sessionId: string, id: string): Promise<string>;
}

/** What changes a transcript (c.7). Every call rejects with `session_busy` while the session has an unfinished run. */
export interface TranscriptChanges {
  /** Takes the last user turns back. Rejects with `nothing_to_undo`. */
  undo(sessionId: string, turns: number): Promise<CutResult>;
  /** Takes everything behind a message away. Rejects with `message_not_found`. */
  truncate(sessionId: string, keepThrough: string): Promise<CutResult>;
  clear(sessionId: string): Promise<CutResult>;
  /**
   * Hands over what a retry of the last user message, or an edit of this one, takes away. `use` gives it to `runs.accept` and does
   * nothing else: it is called again where the cut was refused because messages came to stand elsewhere meanwhile.
   */
  replacing<T>(
    sessionId: string,
    messageId: string | null,
    use: (turn: ReplacedTurn) => Promise<T>,
  ): Promise<T>;
  /** Tells stores and followers about a cut that was made in a transaction of its own. */
  cutMade(sessionId: string): Promise<void>;
  /** A new session with copies of the messages up to `through`; all of them without. Rejects with `message_not_found`. */
  fork(
    sessionId: string,
    options: { readonly through?: string | undefined; readonly title: string | null },
  ): Promise<Session>;
}

/** A turn that another run is to take the place of. */
export interface ReplacedTurn {
  readonly cut: NewCut;
  /** Its message. */
  readonly text: string;
  /** The run that it belongs to; null: another program's. */
  readonly runId: string | null;
  /** A retry of what the system said in a person's place stays that (background-jobs B-38). */
  readonly made?: { readonly source: "process"; readonly parts: readonly Record<string, unknown>[] };
}

export interface CutResult {
  readonly session: Session;
  readonly removed_count: number;
  readonly input: string | null;
}
