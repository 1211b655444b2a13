import type { Backlog } from "../../../common/contracts/backlog.ts";
import type { SearchAnswer, StoreInfo } from "../../../common/contracts/http.ts";
import type { Session } from "../../../common/contracts/session.ts";
import type { ConnectionStatus } from "./connection.ts";
import { createProfilesState, type ProfilesAction, type ProfilesState, reduceProfiles } from "./profiles.ts";
import { reduceSession } from "./reduce-session.ts";
import {
  NO_SEARCH,
  type SearchState,
  searchFailed,
  searchFor,
  searchLoaded,
  searchWithin,
} from "./search.ts";
import {
  createListState,
  type ListAnswer,
  listLoaded,
  type SessionFilter,
  type SessionListState,
  upsertSession,
} from "./session-list.ts";
import { createSessionState, type SessionAction, type SessionState } from "./session-state.ts";

export interface Toast {
  readonly id: number;
  readonly tone: "error" | "info";
  readonly text: string;
  /** The stable error code, when there is one. */
  readonly code: string | null;
}

export interface AppState {
  readonly signedOut: boolean;
  readonly list: SessionListState;
  readonly search: SearchState;
  /** The state.db files behind the profiles. */
  readonly stores: readonly StoreInfo[];
  /** What waits for a worker, and why. */
  readonly backlog: readonly Backlog[];
  readonly profiles: ProfilesState;
  /** The session in view. */
  readonly selected: string | null;
  /** Sessions opened in this tab; each keeps its own view and cursor. */
  readonly open: ReadonlyMap<string, SessionState>;
  readonly connection: ConnectionStatus;
  /** Asking for changes failed again and again: what is shown may be old (B10). */
  readonly outdated: boolean;
  readonly botName: string | null;
  readonly toasts: readonly Toast[];
  /** Counts the drafts that something else than the composer wrote. */
  readonly drafted: number;
}

export type AppAction =
  | { readonly type: "select"; readonly id: string | null }
  | { readonly type: "session_action"; readonly id: string; readonly actions: readonly SessionAction[] }
  | { readonly type: "list_query"; readonly query: string }
  | { readonly type: "list_filter"; readonly filter: SessionFilter }
  | ({ readonly type: "list_loaded" } & ListAnswer)
  | { readonly type: "list_failed" }
  | { readonly type: "list_session"; readonly session: Session }
  | {
      readonly type: "search_loaded";
      readonly query: string;
      readonly profile: string | null;
      readonly page: SearchAnswer;
      readonly append: boolean;
    }
  | { readonly type: "search_failed"; readonly query: string; readonly profile: string | null }
  | { readonly type: "stores"; readonly stores: readonly StoreInfo[] }
  | { readonly type: "backlog"; readonly backlog: readonly Backlog[] }
  | { readonly type: "profiles"; readonly action: ProfilesAction }
  | { readonly type: "drafted" }
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
  list: createListState(),
  search: NO_SEARCH,
  stores: [],
  backlog: [],
  profiles: createProfilesState(),
  selected,
  open: selected === null ? new Map() : new Map([[selected, createSessionState(selected)]]),
  connection: { kind: "connecting" },
  outdated: false,
  botName: null,
  toasts: [],
  drafted: 0,
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
      return {
        ...state,
        list: { ...state.list, query: action.query },
        search: searchFor(state.search, action.query, state.list.filter.profile),
      };
    case "list_filter":
      return {
        ...state,
        list: { ...state.list, filter: action.filter },
        search: searchWithin(state.search, state.list.query, action.filter.profile),
      };
    case "list_loaded": {
      const list = listLoaded(state.list, action);
      return list === state.list ? state : { ...state, list };
    }
    case "list_failed":
      return { ...state, list: { ...state.list, phase: state.list.phase === "ready" ? "ready" : "failed" } };
    case "list_session":
      return { ...state, list: upsertSession(state.list, action.session) };
    case "search_loaded":
      return { ...state, search: searchLoaded(state.search, action) };
    case "search_failed":
      return { ...state, search: searchFailed(state.search, action) };
    case "stores":
      return { ...state, stores: action.stores };
    case "backlog":
      // It is asked for every few seconds, and nearly always there is nothing.
      return state.backlog.length === 0 && action.backlog.length === 0
        ? state
        : { ...state, backlog: action.backlog };
    case "profiles": {
      const profiles = reduceProfiles(state.profiles, action.action);
      return profiles === state.profiles ? state : { ...state, profiles };
    }
    case "drafted":
      return { ...state, drafted: state.drafted + 1 };
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
  return upsertSession(list, after);
};
