import { isTalariaError } from "../base/errors.ts";
import type { Session } from "../contracts/session.ts";
import { previewOf } from "../sessions/places.ts";
import { messageFromRow } from "../sessions/rows.ts";
import { isRenamed, type StoreView, viewOf } from "../sessions/store-ops.ts";
import { createHiddenRows } from "../state-db/read/hidden.ts";
import type { DisplayRow, Hidden } from "../state-db/read/port.ts";
import type { StateRow } from "../state-db/read/rows.ts";
import { deriveUid } from "../state-db/uid.ts";
import { createKnown, isForStore } from "../transcript/messages.ts";
import { createLook, type StoreSight } from "../transcript/sight.ts";
import type { MirrorDeps } from "./deps.ts";
import { followBase } from "./follow-base.ts";

/** Rows that a count looks at in one go; the thread serves others in between. */
const COUNT_STEP = 500;
const NEW_ROWS = 500;
/** Tries against somebody who is counting the same session. */
const TRIES = 4;

/**
 * Makes a session's counters true to its state.db: by what was added where that can be told, by counting anew where it cannot
 * (c.2, d.1). Resolves with the session when people see something new of it, else with null. An unreadable file changes
 * nothing (d.1.6).
 */
export type BringUp = (sessionId: string, options?: BringUpOptions) => Promise<Session | null>;

export interface BringUpOptions {
  /** The conversation's title in the store; null leaves it. */
  readonly title?: string | null;
  /** Rows above this id are new: a session that nobody has counted yet is told of at once and counted later. */
  readonly newSince?: number | null;
  /** Counting anew takes as long as the session is: after so many milliseconds it is left to the background (d.1.3). */
  readonly withinMs?: number;
  /** This is the background: what its count corrects is told. */
  readonly late?: boolean;
  /** Ends a count in the middle; nothing is changed then. */
  readonly signal?: AbortSignal;
}

type Deps = Pick<MirrorDeps, "read" | "write" | "stores">;

export const createBringUp = (deps: Deps): BringUp => {
  const look = createLook(deps.read, deps.stores);

  return async (sessionId, { title = null, newSince = null, withinMs, late = false, signal } = {}) => {
    const giveUpAt = withinMs === undefined ? Number.POSITIVE_INFINITY : performance.now() + withinMs;
    for (let tries = 0; tries < TRIES; tries++) {
      const sight = await look(sessionId).catch(ignoreMissing);
      if (sight?.state !== "ok") return null;
      const view = viewOf(sight);
      if (sight.store === null) {
        const gone = await deps.write.storeSessionGone(sessionId);
        return gone.session;
      }
      // Before the newest row: a row of ours above that one was then deleted, and nothing still to count is below it.
      const newestBound = sight.isOurs ? await deps.read.newestBoundRow(sessionId) : 0;
      // Before the count: what is rewound while we count shows as another mark next time.
      const head = await headOf(deps, sight.store);
      if (head === null) return null;
      const { mark, cursor: newestRow } = head;
      const now =
        newSince !== null && !view.counted
          ? { ...view, news: await foreignSince(deps, view, sight.store, newSince) }
          : await countNow(deps, view, sight.store, {
              ...{ newestRow, newestBound },
              isOurs: sight.isOurs,
              recount: mayHaveChanged(view.mark, mark),
              ...{ giveUpAt, newSince, signal },
            });
      if (now === null) return null;
      const { cursor, count, time } = now;
      const isSame =
        view.counted && now.counted && cursor === view.cursor && count === view.count && time === view.time;
      if (isSame && mark === view.mark && (title === null || title === view.title)) return null;
      const isFirst = !view.counted && now.counted;
      const row =
        now.news === 0 && !isFirst
          ? null
          : (now.last ?? (await lastRow(deps, sight.store, now.counted ? cursor : null)));
      const last = row === null ? null : lastOf(row);
      // What was shown until now was an older count, not the writers' guess.
      const corrected = late && !view.counted && view.cursor > 0 ? count - view.count : 0;
      const visible = now.news !== 0 || corrected !== 0 || isRenamed(view, title);
      const changed = await deps.write.updateFromStore({
        sessionId,
        from: view,
        ...{ cursor, count, time, mark, title, last, visible },
        reason: corrected < 0 ? "cut" : "external",
        counted: now.counted,
      });
      if (changed !== null) return visible ? changed : null;
    }
    return null;
  };
};

interface Counted {
  readonly counted: boolean;
  readonly cursor: number;
  readonly count: number;
  readonly time: number | null;
  /** The newest of what was counted, where it was looked at. */
  readonly last?: DisplayRow | null;
  /** How many messages of others came; negative where some went; 0: nothing that people see changed. */
  readonly news: number;
}

const countNow = async (
  deps: Deps,
  view: StoreView,
  store: StoreSight,
  {
    newestRow,
    newestBound,
    isOurs,
    recount,
    giveUpAt,
    newSince,
    signal,
  }: {
    readonly newestRow: number;
    readonly newestBound: number;
    readonly isOurs: boolean;
    readonly recount: boolean;
    readonly giveUpAt: number;
    readonly newSince: number | null;
    readonly signal: AbortSignal | undefined;
  },
): Promise<Counted | null> => {
  const { call } = deps.stores;
  // Ids never come back: where the newest rows were deleted, what we have bound to them must not count as new.
  const cursor = Math.max(newestRow, view.cursor, newestBound);
  const hidden = upTo(store.hidden, cursor);
  const isKnown = view.counted && !recount && newestRow >= view.cursor;
  if (isKnown && cursor === view.cursor) return { ...view, news: 0 };

  if (isKnown) {
    const added = await call.countAfter(store.path, store.segments.ids, view.cursor, { hidden });
    if (added.state !== "ok") return null;
    if (added.value !== null) {
      const ours = isOurs ? await bindOurs(deps, view, store, cursor) : 0;
      const now = { counted: true, cursor, count: view.count + added.value, news: added.value - ours };
      if (added.value === 0) return { ...now, time: view.time };
      const last = await lastRow(deps, store, cursor);
      return { ...now, time: last?.createdAt ?? null, last };
    }
  }
  let count = 0;
  for (let from: number | null = null; ; ) {
    if (signal?.aborted) return null;
    // Rows that came are told of now; how many they are is known later.
    if (performance.now() > giveUpAt) {
      const news = newSince === null ? 0 : await foreignSince(deps, view, store, newSince);
      return { ...view, counted: false, news };
    }
    const step = await call.countDisplay(store.path, store.segments.ids, { hidden, from, limit: COUNT_STEP });
    if (step.state !== "ok") return null;
    count += step.value.count;
    from = step.value.next;
    if (from === null) break;
  }
  const ours = isOurs ? await bindOurs(deps, view, store, cursor) : 0;
  const moved = isOurs ? await followBase(deps, view.sessionId, store) : 0;
  const difference = count - view.count - ours + moved;
  const last = await lastRow(deps, store, cursor);
  const time = last?.createdAt ?? null;
  // As many as before, and another last one: something went and something came.
  const news = difference !== 0 ? difference : time === view.time || ours > 0 ? 0 : 1;
  return { counted: true, cursor, count, time, last, news: view.counted ? news : 0 };
};

/** How many of the rows above an id people see that we did not write. */
const foreignSince = async (
  { read, stores }: Deps,
  { sessionId }: StoreView,
  { path, segments, hidden }: StoreSight,
  since: number,
): Promise<number> => {
  const above = await stores.call.rowsAfter(path, segments.ids, since, NEW_ROWS);
  if (above.state !== "ok") return 0;
  const out = createHiddenRows(hidden);
  const rows = above.value.rows.filter(
    (row) => row.displayable && !out.hasId(row.rowId) && !out.hasCopy(row, () => row),
  );
  const uids = rows.flatMap(({ uid }) => uid ?? []);
  const ids = rows.map(({ rowId }) => rowId);
  const known = createKnown(await read.boundMessages(sessionId, ids, uids));
  const pending = await read.pendingMessages(sessionId);
  const ours = new Set(pending.map(({ id }) => deriveUid(id)));
  return rows.filter(
    (row) =>
      known.of(row) === undefined &&
      !(row.uid === null ? pending.some((message) => isSame(row, message)) : ours.has(row.uid)),
  ).length;
};

/** Rows that came while we count are counted next time. */
const upTo = (hidden: Hidden, cursor: number): Hidden => ({
  ...hidden,
  ranges: [...hidden.ranges, [cursor, Number.MAX_SAFE_INTEGER]],
});

/**
 * How many of the rows above the counted ones are ours. A turn whose binding was cut off, or has not happened yet, is known
 * by the uids we gave its rows and is bound here.
 */
const bindOurs = async (
  { read, write, stores }: Deps,
  view: StoreView,
  store: StoreSight,
  cursor: number,
): Promise<number> => {
  const pending = await read.pendingMessages(view.sessionId);
  const shared = pending.filter((row) => isForStore(messageFromRow(row)));
  if (shared.length > 0) {
    const above = await stores.call.rowsAfter(store.path, store.segments.ids, view.cursor, NEW_ROWS);
    const rows = above.state === "ok" ? above.value.rows : [];
    const byUid = new Map(rows.flatMap((row) => (row.uid === null ? [] : [[row.uid, row] as const])));
    const runs = Map.groupBy(shared, ({ run_id }) => run_id ?? "");
    for (const [runId, messages] of runs) {
      const found = messages.flatMap((message) => {
        const uid = deriveUid(message.id);
        const row = byUid.get(uid) ?? rows.find((other) => isSame(other, message));
        return row === undefined ? [] : [{ messageId: message.id, rowId: row.rowId, uid }];
      });
      if (found.length === messages.length)
        await write.bindTurn({ sessionId: view.sessionId, runId, storeId: view.storeId, rows: found });
    }
  }
  return read.ownRowsBetween(view.sessionId, view.cursor, cursor);
};

/** In files without uids our rows are known by role, exact time and text (b.2). */
const isSame = (
  row: StateRow,
  message: { readonly role: string; readonly created_at: number; readonly content: string },
): boolean =>
  row.uid === null &&
  row.role === message.role &&
  row.createdAt === message.created_at &&
  row.content === message.content;

/** The newest row that people see, of those up to `cursor` or of all. */
const lastRow = async (
  { stores }: Deps,
  store: StoreSight,
  cursor: number | null,
): Promise<DisplayRow | null> => {
  const answer = await stores.call.lastDisplay(store.path, store.segments.ids, {
    hidden: cursor === null ? store.hidden : upTo(store.hidden, cursor),
  });
  return answer.state === "ok" ? answer.value : null;
};

const lastOf = (row: DisplayRow): { role: "user" | "assistant" | "tool"; preview: string; at: number } => ({
  role: row.role === "user" || row.role === "tool" ? row.role : "assistant",
  preview: previewOf(row.content),
  at: row.createdAt ?? 0,
});

/** See `markOf`: the same of one conversation; and its newest row, whoever sees it. */
const headOf = async (
  { stores }: Deps,
  { path, segments }: StoreSight,
): Promise<{ readonly mark: string; readonly cursor: number } | null> => {
  const heads = await stores.call.heads(path, segments.ids);
  if (heads.state !== "ok") return null;
  const rewinds = heads.value.reduce((sum, head) => sum + head.rewindCount, 0);
  const hint = heads.value.reduce((sum, head) => sum + head.messageCount, 0);
  return {
    mark: markOf({ rewinds, tipId: segments.tipId, hint }),
    cursor: Math.max(0, ...heads.value.map(({ maxRowId }) => maxRowId)),
  };
};

const ignoreMissing = (error: unknown): null => {
  if (isTalariaError(error, "session_not_found")) return null;
  throw error;
};

/** What says that a conversation may have changed otherwise than by rows at its end. */
export const markOf = (of: {
  readonly rewinds: number;
  readonly tipId: string;
  readonly hint: number;
}): string => JSON.stringify([of.rewinds, of.tipId, of.hint]);

/** True where the rows that are counted may be others now: a rewind, another tip, fewer active rows (c.2.4, d.1.3, d.1.4). */
export const mayHaveChanged = (before: string | null, after: string): boolean => {
  if (before === null) return false;
  const [rewinds, tip, hint] = JSON.parse(before) as [number, string, number];
  const [rewindsNow, tipNow, hintNow] = JSON.parse(after) as [number, string, number];
  return rewinds !== rewindsNow || tip !== tipNow || hintNow < hint;
};
