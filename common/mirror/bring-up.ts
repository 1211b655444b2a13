import type { Session } from "../contracts/session.ts";
import { previewOf } from "../sessions/places.ts";
import { messageFromRow } from "../sessions/rows.ts";
import type { StoreView } from "../sessions/store-ops.ts";
import type { DisplayRow, Hidden, StateRow } from "../state-db/read/port.ts";
import { deriveUid } from "../state-db/uid.ts";
import { isForStore } from "../transcript/messages.ts";
import { createLook, type StoreSight } from "../transcript/sight.ts";
import type { MirrorDeps } from "./deps.ts";

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
  /** Rows were added: a session that nobody has counted yet is told of at once and counted later. */
  readonly appended?: boolean;
}

type Deps = Pick<MirrorDeps, "read" | "write" | "stores">;

export const createBringUp = (deps: Deps): BringUp => {
  const look = createLook(deps.read, deps.stores);

  return async (sessionId, { title = null, appended = false } = {}) => {
    for (let tries = 0; tries < TRIES; tries++) {
      const view = await deps.read.storeView(sessionId);
      if (view === null) return null;
      const sight = await look(sessionId);
      if (sight.state !== "ok") return null;
      if (sight.store === null) {
        const gone = await deps.write.storeSessionGone(sessionId);
        return gone.session;
      }
      // Before the count: what is rewound while we count shows as another mark next time.
      const mark = await markIn(deps, sight.store);
      if (mark === null) return null;
      const now =
        appended && !view.counted
          ? { ...view, news: 1 }
          : await countNow(deps, view, sight.store, mayHaveChanged(view.mark, mark));
      if (now === null) return null;
      const { cursor, count, time } = now;
      const isSame = view.counted && cursor === view.cursor && count === view.count && time === view.time;
      if (isSame && mark === view.mark && (title === null || title === view.title)) return null;
      const isFirst = !view.counted && !appended;
      const last =
        now.news === 0 && !isFirst ? null : await newest(deps, sight.store, now.counted ? cursor : null);
      const visible = now.news !== 0 || isRenamed(view, title);
      const changed = await deps.write.updateFromStore({
        sessionId,
        from: view,
        ...{ cursor, count, time, mark, title, last, visible },
        counted: now.counted,
      });
      if (changed !== null) return visible ? changed : null;
    }
    return null;
  };
};

/** Our own title in a row of ours is no news, nor is another one where a person gave the session its name. */
const isRenamed = ({ shownTitle, title: known }: StoreView, title: string | null): boolean =>
  title !== null && title !== known && shownTitle !== null && shownTitle.text !== title;

interface Counted {
  readonly counted: boolean;
  readonly cursor: number;
  readonly count: number;
  readonly time: number | null;
  /** How many messages of others came; negative where some went; 0: nothing that people see changed. */
  readonly news: number;
}

const countNow = async (
  deps: Deps,
  view: StoreView,
  store: StoreSight,
  recount: boolean,
): Promise<Counted | null> => {
  const { call } = deps.stores;
  const newest = await call.maxRowId(store.path, store.segments.ids);
  if (newest.state !== "ok") return null;
  // Ids never come back: where the newest rows were deleted, what we have bound to them must not count as new.
  const cursor = Math.max(newest.value, view.cursor);
  const hidden = upTo(store.hidden, cursor);
  const isKnown = view.counted && !recount && newest.value >= view.cursor;
  if (isKnown && cursor === view.cursor) return { ...view, news: 0 };

  if (isKnown) {
    const added = await call.countAfter(store.path, store.segments.ids, view.cursor, {
      ...{ hidden, newestTime: view.time },
    });
    if (added.state !== "ok") return null;
    if (added.value !== null) {
      const ours = await bindOurs(deps, view, store, cursor);
      const time = added.value.lastTimestamp ?? view.time;
      const total = view.count + added.value.count;
      return { counted: true, cursor, count: total, time, news: added.value.count - ours };
    }
  }
  let count = 0;
  let time: number | null = null;
  for (let from: number | null = null; ; ) {
    const step = await call.countDisplay(store.path, store.segments.ids, { hidden, from, limit: COUNT_STEP });
    if (step.state !== "ok") return null;
    count += step.value.count;
    time ??= step.value.lastTimestamp;
    from = step.value.next;
    if (from === null) break;
  }
  const ours = await bindOurs(deps, view, store, cursor);
  const difference = count - view.count - ours;
  // As many as before, and another last one: something went and something came.
  const news = difference !== 0 ? difference : time === view.time || ours > 0 ? 0 : 1;
  return { counted: true, cursor, count, time, news: view.counted ? news : 0 };
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

const newest = async (
  { stores }: Deps,
  store: StoreSight,
  cursor: number | null,
): Promise<{ role: "user" | "assistant" | "tool"; preview: string; at: number } | null> => {
  const answer = await stores.call.lastDisplay(store.path, store.segments.ids, {
    hidden: cursor === null ? store.hidden : upTo(store.hidden, cursor),
  });
  return answer.state === "ok" && answer.value !== null ? lastOf(answer.value) : null;
};

const lastOf = (row: DisplayRow): { role: "user" | "assistant" | "tool"; preview: string; at: number } => ({
  role: row.role === "user" || row.role === "tool" ? row.role : "assistant",
  preview: previewOf(row.content),
  at: row.createdAt ?? 0,
});

/** See `markOf`: the same of one conversation. */
const markIn = async ({ stores }: Deps, { path, segments }: StoreSight): Promise<string | null> => {
  const heads = await stores.call.heads(path, segments.ids);
  if (heads.state !== "ok") return null;
  const rewinds = heads.value.reduce((sum, head) => sum + head.rewindCount, 0);
  const hint = heads.value.reduce((sum, head) => sum + head.messageCount, 0);
  return markOf({ rewinds, tipId: segments.tipId, hint });
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
