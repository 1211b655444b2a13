import type { AppState } from "./app-state.ts";

/** What the views may ask for. Every command reports its failure itself; none rejects. */
export interface Workbench {
  getState(): AppState;
  /** Calls back after each change; returns the way to stop that. */
  subscribe(listener: () => void): () => void;
  select(id: string | null): void;
  /** Sends `text` to the session, or to a new one when `id` is null. Resolves with false when the text goes back to the composer. */
  send(id: string | null, text: string): Promise<boolean>;
  stop(sessionId: string, runId: string): void;
  rename(id: string, title: string): void;
  remove(id: string): void;
  search(query: string): void;
  loadMoreSessions(): void;
  /** Resolves when the page before the first message is in the state. */
  loadOlder(id: string): Promise<void>;
  retryLoad(id: string): void;
  signIn(password: string): Promise<string | null>;
  closeToast(id: number): void;
  readonly drafts: Drafts;
}

/** What was typed and not sent, per session; `null` stands for the session that does not exist yet. */
export interface Drafts {
  read(id: string | null): string;
  write(id: string | null, text: string): void;
}
