import type { Session } from "../../../common/contracts/session.ts";

/** Which sessions the list shows; all conditions hold at once. */
export interface SessionFilter {
  readonly archived: boolean;
  /** Only those that this program created; null: all. */
  readonly source: string | null;
  /** Only those of this profile; null: of all. */
  readonly profile: string | null;
}

export interface SessionListState {
  readonly items: readonly Session[];
  readonly nextCursor: string | null;
  readonly query: string;
  readonly filter: SessionFilter;
  /** Query and filter that `items` answer; null before the first answer. */
  readonly answers: { readonly query: string; readonly filter: SessionFilter } | null;
  /** Sources seen so far, for the menu. */
  readonly sources: readonly string[];
  readonly phase: "loading" | "ready" | "failed";
}

export const NO_FILTER: SessionFilter = { archived: false, source: null, profile: null };

export const createListState = (): SessionListState => ({
  items: [],
  nextCursor: null,
  query: "",
  filter: NO_FILTER,
  answers: null,
  sources: [],
  phase: "loading",
});

export interface ListAnswer {
  readonly query: string;
  readonly filter?: SessionFilter;
  readonly items: readonly Session[];
  readonly nextCursor: string | null;
  readonly append: boolean;
}

/** A page of the list; the same state when it answers an older question. */
export const listLoaded = (list: SessionListState, answer: ListAnswer): SessionListState => {
  if (answer.query !== list.query || (answer.filter ?? list.filter) !== list.filter) return list;
  const tail = answer.append ? null : tailBehind(list, answer);
  const items = answer.append
    ? [...list.items, ...answer.items]
    : tail === null
      ? answer.items
      : [...answer.items, ...tail];
  return {
    ...list,
    items: unique(items),
    nextCursor: tail === null ? answer.nextCursor : list.nextCursor,
    answers: { query: list.query, filter: list.filter },
    sources: withSources(list.sources, answer.items),
    phase: "ready",
  };
};

/** A hint reads the first page again; who has paged further down must not be thrown back up. null: nothing is kept. */
const tailBehind = (list: SessionListState, answer: ListAnswer): readonly Session[] | null => {
  const { answers } = list;
  if (answers === null || answers.query !== list.query || answers.filter !== list.filter) return null;
  const last = answer.items.at(-1);
  if (answer.nextCursor === null || last === undefined || list.items.length <= answer.items.length)
    return null;
  const inPage = new Set(answer.items.map((session) => session.id));
  const kept = list.items.filter(
    (session) => !inPage.has(session.id) && activityOf(session) <= activityOf(last),
  );
  return kept.length === 0 ? null : kept;
};

/** The session at its place; gone when it does not pass the filter any more. */
export const upsertSession = (list: SessionListState, session: Session): SessionListState => {
  const others = list.items.filter((other) => other.id !== session.id);
  if (!passes(list.filter, session)) return { ...list, items: others };
  const at = others.findIndex((other) => activityOf(other) <= activityOf(session));
  const items = at === -1 ? [...others, session] : [...others.slice(0, at), session, ...others.slice(at)];
  return { ...list, items, sources: withSources(list.sources, [session]) };
};

const passes = (filter: SessionFilter, session: Session): boolean =>
  session.archived === filter.archived &&
  (filter.source === null || session.source === filter.source) &&
  (filter.profile === null || session.profile === filter.profile);

export const isFiltered = ({ archived, source, profile }: SessionFilter): boolean =>
  archived || source !== null || profile !== null;

/** Pinned ones first, otherwise as the server ordered them. */
export const pinnedFirst = (items: readonly Session[]): readonly Session[] =>
  items.some((session) => session.pinned)
    ? [...items.filter((session) => session.pinned), ...items.filter((session) => !session.pinned)]
    : items;

export const activityOf = (session: Session): number => session.last_message_at ?? session.created_at;

/** Sessions and messages of this page itself carry no badge. */
export const isForeign = (source: string): boolean => source !== "talaria" && source !== "webui";

const withSources = (known: readonly string[], sessions: readonly Session[]): readonly string[] => {
  const news = new Set(sessions.map((session) => session.source).filter((source) => !known.includes(source)));
  return news.size === 0 ? known : [...known, ...news].sort();
};

const unique = (items: readonly Session[]): readonly Session[] => [
  ...new Map(items.map((session) => [session.id, session])).values(),
];
