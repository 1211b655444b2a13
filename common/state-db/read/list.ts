import { decodePageCursor, encodePageCursor } from "../../sqlite/page-cursor.ts";
import type { ReadFile } from "./file.ts";
import { continuationOf } from "./lineage.ts";
import type { ConversationInfo, ConversationPage, ListQuery } from "./port.ts";
import { newestTime, readAllSessions, type SessionRecord } from "./sessions.ts";
import { dataVersionOf, lastRowId } from "./versions.ts";

/** New rows looked at to keep the times fresh; after more than that they are looked up anew. */
const MAX_FRESH_ROWS = 20_000;

/**
 * A page of conversations. The order needs every session, and no index has it; so the light columns are read once per
 * change of the file, chained and sorted, and kept with the connection. A page of an unchanged file reads nothing.
 */
export const listConversations = (file: ReadFile, query: ListQuery): ConversationPage => {
  const all = allConversations(file);
  const { source, kinds, archived, parentless } = query;
  const found =
    source === undefined && kinds === undefined && archived === undefined && !parentless
      ? all
      : all.filter(
          (entry) =>
            (source === undefined || entry.source === source) &&
            (kinds === undefined || kinds.includes(entry.kind)) &&
            (archived === undefined || entry.archived === archived) &&
            (!parentless || entry.parentId === null),
        );
  const from = query.cursor === undefined ? 0 : firstAfter(found, query.cursor);
  const sessions = found.slice(from, from + query.limit);
  const last = sessions.at(-1);
  const next =
    last !== undefined && from + query.limit < found.length
      ? encodePageCursor([last.lastActivityAt, last.id])
      : null;
  return { sessions, next, total: found.length };
};

/** The whole list, as `listConversations` pages it without filters. */
export const allConversations = (file: ReadFile): readonly ConversationInfo[] => {
  const kept = file.memo<{ version: string; list: readonly ConversationInfo[] }>("conversations", () => ({
    version: "",
    list: [],
  }));
  const version = dataVersionOf(file);
  if (kept.version === version) return kept.list;
  kept.list = chain(readAllSessions(file), activities(file));
  kept.version = version;
  return kept.list;
};

/**
 * Newest activity per session: heartbeats lag and old files have none, so the newest row's time counts too. Looked up
 * once per session by index, then kept up to date by the rows that were added since.
 */
const activities = (file: ReadFile): ((session: SessionRecord) => number) => {
  const known = file.memo("activities", () => ({ times: new Map<string, number>(), watermark: -1 }));
  const newest = lastRowId(file);
  if (known.watermark >= 0 && newest > known.watermark) {
    const sql = `SELECT session_id, timestamp FROM messages NOT INDEXED WHERE id > ? ORDER BY id LIMIT ${MAX_FRESH_ROWS + 1}`;
    const fresh = file.prepare(sql).raw().all(known.watermark) as [string, number][];
    if (fresh.length > MAX_FRESH_ROWS) known.times.clear();
    else
      for (const [id, time] of fresh) {
        const before = known.times.get(id);
        if (before === undefined || time > before) known.times.set(id, time);
      }
  }
  known.watermark = newest;
  return (session) => {
    const time = known.times.get(session.id);
    if (time !== undefined) return Math.max(session.heartbeat ?? 0, time);
    if (session.heartbeat !== null) return session.heartbeat;
    const found = newestTime(file, session.id) ?? session.startedAt;
    known.times.set(session.id, found);
    return found;
  };
};

/** One entry per chain, newest first. */
const chain = (
  sessions: readonly SessionRecord[],
  activityOf: (session: SessionRecord) => number,
): readonly ConversationInfo[] => {
  const byId = new Map<string, SessionRecord>();
  const children = new Map<string, SessionRecord[]>();
  for (const session of sessions) {
    byId.set(session.id, session);
    if (session.parentId === null) continue;
    const siblings = children.get(session.parentId);
    if (siblings === undefined) children.set(session.parentId, [session]);
    else siblings.push(session);
  }
  const next = new Map<string, SessionRecord>();
  const continued = new Set<string>();
  for (const [parentId, siblings] of children) {
    const parent = byId.get(parentId);
    const child = parent === undefined ? null : continuationOf(parent, siblings, activityOf);
    if (child === null) continue;
    next.set(parentId, child);
    continued.add(child.id);
  }
  const list: ConversationInfo[] = [];
  const chained = new Set<string>();
  const add = (root: SessionRecord): void => {
    const segments: SessionRecord[] = [];
    for (
      let at: SessionRecord | undefined = root;
      at !== undefined && !chained.has(at.id);
      at = next.get(at.id)
    ) {
      chained.add(at.id);
      segments.push(at);
    }
    list.push(merge(root, segments, activityOf));
  };
  for (const session of sessions)
    if (!continued.has(session.id)) {
      if (next.has(session.id)) add(session);
      else list.push(merge(session, [session], activityOf));
    }
  // What was not reached goes in circles: each circle is one conversation, wherever one enters it.
  for (const session of sessions) if (continued.has(session.id) && !chained.has(session.id)) add(session);
  return list.sort(byActivity);
};

const byActivity = (
  a: { readonly lastActivityAt: number; readonly id: string },
  b: { readonly lastActivityAt: number; readonly id: string },
): number => b.lastActivityAt - a.lastActivityAt || (a.id < b.id ? 1 : a.id > b.id ? -1 : 0);

const merge = (
  root: SessionRecord,
  segments: readonly SessionRecord[],
  activityOf: (session: SessionRecord) => number,
): ConversationInfo => {
  const tip = segments.at(-1) ?? root;
  let lastActivityAt = 0;
  let messageCountHint = 0;
  let rewindCount = 0;
  for (const segment of segments) {
    lastActivityAt = Math.max(lastActivityAt, activityOf(segment));
    messageCountHint += segment.messageCountHint;
    rewindCount += segment.rewindCount;
  }
  return {
    id: root.id,
    tipId: tip.id,
    segmentCount: segments.length,
    source: root.source,
    kind: root.kind,
    title: segments.find(({ title }) => title !== null)?.title ?? null,
    model: tip.model ?? root.model,
    cwd: tip.cwd ?? root.cwd,
    parentId: root.parentId,
    forkedFrom: root.forkedFrom,
    startedAt: root.startedAt,
    lastActivityAt,
    messageCountHint,
    rewindCount,
    archived: tip.archived,
    pinned: root.pinned || tip.pinned,
  };
};

const firstAfter = (list: readonly ConversationInfo[], cursor: string): number => {
  const [time, id] = decodePageCursor(cursor, ["number", "string"]);
  const last = { lastActivityAt: Number(time), id: String(id) };
  let [low, high] = [0, list.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    const entry = list[middle];
    if (entry !== undefined && byActivity(entry, last) <= 0) low = middle + 1;
    else high = middle;
  }
  return low;
};
