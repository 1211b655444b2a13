import type { Session } from "../../../common/contracts/session.ts";
import type { ConnectionStatus } from "./connection.ts";
import { reduceSession } from "./reduce-session.ts";
import { createSessionState, type SessionAction, type SessionState } from "./session-state.ts";

export interface Toast {
  readonly id: number;
  readonly tone: "error" | "info";
  readonly text: string;
  /** The stable error code, when there is one. */
  readonly code: string | null;
}

export interface SessionListState {
  readonly items: readonly Session[];
  readonly nextCursor: string | null;
  readonly query: string;
  readonly phase: "loading" | "ready" | "failed";
}

export interface AppState {
  readonly signedOut: boolean;
  readonly list: SessionListState;
  /** The session in view. */
  readonly selected: string | null;
  /** Sessions opened in this tab; each keeps its own view and cursor. */
  readonly open: ReadonlyMap<string, SessionState>;
  readonly connection: ConnectionStatus;
  /** Asking for changes failed again and again: what is shown may be old (B10). */
  readonly outdated: boolean;
  readonly botName: string | null;
  readonly toasts: readonly Toast[];
}

export type AppAction =
  | { readonly type: "select"; readonly id: string | null }
  | { readonly type: "session_action"; readonly id: string; readonly actions: readonly SessionAction[] }
  | { readonly type: "list_query"; readonly query: string }
  | {
      readonly type: "list_loaded";
      readonly query: string;
      readonly items: readonly Session[];
      readonly nextCursor: string | null;
      readonly append: boolean;
    }
  | { readonly type: "list_failed" }
  | { readonly type: "list_session"; readonly session: Session }
  | { readonly type: "session_removed"; readonly id: string }
  | { readonly type: "connection"; readonly status: ConnectionStatus }
  | { readonly type: "outdated"; readonly outdated: boolean }
  | { readonly type: "settings"; readonly botName: string }
  | { readonly type: "signed_out" }
  | { readonly type: "signed_in" }
  | { readonly type: "toast"; readonly toast: Toast }
  | { readonly type: "toast_closed"; readonly id: number };

/** Views of more sessions than this are let go, the longest unseen first; they are read again when opened. */
const MAX_OPEN = 12;

export const createAppState = (selected: string | null): AppState => ({
  signedOut: false,
  list: { items: [], nextCursor: null, query: "", phase: "loading" },
  selected,
  open: selected === null ? new Map() : new Map([[selected, createSessionState(selected)]]),
  connection: { kind: "connecting" },
  outdated: false,
  botName: null,
  toasts: [],
});

export const reduceApp = (state: AppState, action: AppAction): AppState => {
  switch (action.type) {
    case "select":
      return { ...state, selected: action.id, open: opened(state.open, action.id) };
    case "session_action": {
      const before = state.open.get(action.id);
      if (before === undefined) return state;
      const after = action.actions.reduce(reduceSession, before);
      const open = new Map(state.open).set(action.id, after);
      return { ...state, open, list: listWith(state.list, before.session, after.session) };
    }
    case "list_query":
      return { ...state, list: { ...state.list, query: action.query } };
    case "list_loaded": {
      if (action.query !== state.list.query) return state; // an older search, answered late
      const items = action.append ? [...state.list.items, ...action.items] : action.items;
      return {
        ...state,
        list: { ...state.list, items: unique(items), nextCursor: action.nextCursor, phase: "ready" },
      };
    }
    case "list_failed":
      return { ...state, list: { ...state.list, phase: state.list.phase === "ready" ? "ready" : "failed" } };
    case "list_session":
      return { ...state, list: { ...state.list, items: upsertSession(state.list.items, action.session) } };
    case "session_removed": {
      const open = new Map(state.open);
      open.delete(action.id);
      const items = state.list.items.filter((session) => session.id !== action.id);
      const selected = state.selected === action.id ? null : state.selected;
      return { ...state, open, selected, list: { ...state.list, items } };
    }
    case "connection":
      return { ...state, connection: action.status };
    case "outdated":
      return state.outdated === action.outdated ? state : { ...state, outdated: action.outdated };
    case "settings":
      return { ...state, botName: action.botName };
    case "signed_out":
      return { ...state, signedOut: true };
    case "signed_in":
      return { ...state, signedOut: false };
    case "toast":
      return { ...state, toasts: [...state.toasts.slice(-3), action.toast] };
    case "toast_closed":
      return { ...state, toasts: state.toasts.filter((toast) => toast.id !== action.id) };
  }
};

const opened = (open: AppState["open"], id: string | null): AppState["open"] => {
  if (id === null) return open;
  const next = new Map(open);
  const state = next.get(id) ?? createSessionState(id);
  next.delete(id);
  next.set(id, state); // the youngest stands last
  for (const [old, other] of next) {
    if (next.size <= MAX_OPEN) break;
    if (other.pending.length === 0) next.delete(old);
  }
  return next;
};

/** The list follows the session in view without asking the server. */
const listWith = (
  list: SessionListState,
  before: Session | null,
  after: Session | null,
): SessionListState => {
  if (after === null || after === before) return list;
  if (!list.items.some((session) => session.id === after.id)) return list;
  return { ...list, items: upsertSession(list.items, after) };
};

const upsertSession = (items: readonly Session[], session: Session): readonly Session[] => {
  const others = items.filter((other) => other.id !== session.id);
  const at = others.findIndex((other) => activityOf(other) <= activityOf(session));
  return at === -1 ? [...others, session] : [...others.slice(0, at), session, ...others.slice(at)];
};

export const activityOf = (session: Session): number => session.last_message_at ?? session.created_at;

const unique = (items: readonly Session[]): readonly Session[] => [
  ...new Map(items.map((session) => [session.id, session])).values(),
];
