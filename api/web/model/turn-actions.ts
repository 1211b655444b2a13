import type { Message } from "../../../common/contracts/message.ts";
import type { AppState } from "./app-state.ts";
import { hasOwnRun } from "./outside.ts";
import type { SessionState } from "./session-state.ts";

/** Why nothing of the conversation can be changed right now; null: it can. */
export const lockOf = (state: SessionState): string | null => {
  if (state.changing) return "Another change is being made.";
  if (hasOwnRun(state) || (state.session?.active_run_id ?? null) !== null)
    return "A run is active in this session. Stop it or wait for its end.";
  if (state.phase !== "ready") return "The conversation is not here yet.";
  return null;
};

/** What stays when everything from `messageId` on goes; "unknown" while the message before it was not read yet. */
export const keptBefore = (
  { messages, older }: SessionState,
  messageId: string,
): { readonly keep: "nothing" | "unknown" } | { readonly keep: "through"; readonly id: string } => {
  const at = messages.findIndex((message) => message.id === messageId);
  const before = at > 0 ? messages[at - 1] : undefined;
  if (before !== undefined) return { keep: "through", id: before.id };
  return { keep: at === 0 && older === null ? "nothing" : "unknown" };
};

/** The prompt that a retry runs again. */
export const lastPrompt = (messages: readonly Message[]): Message | null =>
  messages.findLast((message) => message.role === "user") ?? null;

/** The session whose messages the person has just seen to their end and that still counts some as unread. */
export const unreadInView = (
  app: AppState,
  hidden: boolean,
): { readonly id: string; readonly key: string; readonly count: number } | null => {
  const { selected: id } = app;
  const state = id === null ? undefined : app.open.get(id);
  if (id === null || state === undefined || hidden || app.signedOut) return null;
  if (state.phase !== "ready" || state.away || state.outside !== null) return null;
  const listed = app.list.items.find((session) => session.id === id);
  const unread = Math.max(state.session?.unread_count ?? 0, listed?.unread_count ?? 0);
  if (unread === 0) return null;
  const revision = Math.max(state.session?.revision ?? 0, listed?.revision ?? 0);
  return { id, key: `${id}/${revision}/${unread}`, count: unread };
};
