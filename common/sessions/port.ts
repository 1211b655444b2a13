import type { CreateSessionBody, Page, PatchSessionBody, Settings } from "../contracts/http.ts";
import type { Session, SessionHead } from "../contracts/session.ts";
import type { SessionListQuery } from "./ops.ts";

/** Sidecar sessions, their messages and the server's settings (talaria.db). Async, so that a server database can follow. */
export interface SessionStore {
  /**
   * `created` is false when `id` was given and the session exists (then nothing changes).
   * Rejects with `conflict` when the existing one belongs to another profile.
   */
  create(
    input: CreateSessionBody & { readonly profile: string },
  ): Promise<{ readonly session: Session; readonly created: boolean }>;
  /** Rejects with `session_not_found`. */
  get(id: string): Promise<Session>;
  /** Newest activity first. Rejects with `invalid_request` on a cursor that it never gave out. */
  list(query: SessionListQuery): Promise<Page<Session>>;
  /** A given title makes `title_source` "user". Rejects with `session_not_found`; with `conflict` for a new profile while runs are unfinished. */
  patch(id: string, change: PatchSessionBody): Promise<Session>;
  /** Everything up to now has been seen. Rejects with `session_not_found`. */
  markRead(id: string): Promise<Session>;
  /** Reads two rows. Rejects with `session_not_found`. */
  head(id: string): Promise<Omit<SessionHead, "last_event_id">>;
  /** Unknown ids are left out. */
  heads(
    ids: readonly string[],
  ): Promise<readonly (Omit<SessionHead, "last_event_id"> & { readonly session_id: string })[]>;
  /** `bot_name` falls back to "Hermes" when unset, blank or unreadable (cancel-approve-steer C-6). */
  settings(): Promise<Settings>;
  patchSettings(change: { readonly bot_name?: string | null | undefined }): Promise<Settings>;
}
