import { sessionColumns } from "./columns.ts";
import type { ReadFile } from "./file.ts";
import { continuationOf, type Kin, kindOf, readMarks } from "./lineage.ts";
import type { Segments, SessionInfo } from "./port.ts";

/** A row of `sessions` with what lineage needs. */
export interface SessionRecord extends Kin, SessionInfo {
  /** The writers' heartbeat; null in old files. May lag behind the newest row by a minute. */
  readonly heartbeat: number | null;
}

/** Segments that are walked at most, each way (a.9). */
const MAX_SEGMENTS = 1_000;

export const readSessionInfo = (file: ReadFile, id: string): SessionInfo | null => {
  const session = readSession(file, id);
  return session === null ? null : toInfo(session, lastActivity(file, session));
};

/** The chain of a session, by the indexes of `sessions`: its length decides the cost, not the number of sessions. */
export const readSegments = (file: ReadFile, id: string): Segments | null => {
  const start = readSession(file, id);
  if (start === null) return null;
  const seen = new Set([id]);
  const next = (parent: SessionRecord): SessionRecord | null =>
    continuationOf(parent, readChildren(file, parent.id), (child) => lastActivity(file, child));
  let cut = false;
  /** True if the walk may go on to `id`. */
  const enter = (found: string, steps: number): boolean => {
    const may = !seen.has(found) && steps < MAX_SEGMENTS;
    if (may) seen.add(found);
    else cut = true;
    return may;
  };
  const older: string[] = [];
  for (let child = start; child.parentId !== null; ) {
    const parent = readSession(file, child.parentId);
    if (parent === null || next(parent)?.id !== child.id || !enter(parent.id, older.length)) break;
    older.push(parent.id);
    child = parent;
  }
  const newer = [id];
  for (let parent = start; ; ) {
    const child = next(parent);
    if (child === null || !enter(child.id, newer.length)) break;
    newer.push(child.id);
    parent = child;
  }
  const chain = [...older.reverse(), ...newer];
  const ids = chain.slice(-MAX_SEGMENTS);
  return { ids, rootId: ids[0] ?? id, tipId: ids.at(-1) ?? id, cut: cut || ids.length < chain.length };
};

/** Every session of the file, light columns only. */
export const readAllSessions = (file: ReadFile): SessionRecord[] => {
  const sql = `SELECT ${sessionColumns(file.shape())} FROM sessions`;
  return (file.prepare(sql).raw().all() as unknown[][]).map(toRecord);
};

/** Newest known activity: the heartbeat or the newest row's time, whichever is later. */
export const lastActivity = (file: ReadFile, session: SessionRecord): number =>
  Math.max(session.heartbeat ?? 0, newestTime(file, session.id) ?? 0) || session.startedAt;

/** The newest time of a session's rows by its index; null without rows, or without the index. */
export const newestTime = (file: ReadFile, id: string): number | null => {
  const index = file.shape().indexes.bySessionTime;
  if (index === null) return null;
  const sql = `SELECT timestamp FROM messages ${index} WHERE session_id = ? ORDER BY timestamp DESC LIMIT 1`;
  const value = file.prepare(sql).pluck().get(id);
  return typeof value === "number" ? value : null;
};

export const readSession = (file: ReadFile, id: string): SessionRecord | null => {
  const sql = `SELECT ${sessionColumns(file.shape())} FROM sessions WHERE id = ?`;
  const row = file.prepare(sql).raw().get(id) as unknown[] | undefined;
  return row === undefined ? null : toRecord(row);
};

const readChildren = (file: ReadFile, parentId: string): SessionRecord[] => {
  const shape = file.shape();
  if (!shape.sessions.has("parent_session_id")) return [];
  const sql = `SELECT ${sessionColumns(shape)} FROM sessions WHERE parent_session_id = ?`;
  return (file.prepare(sql).raw().all(parentId) as unknown[][]).map(toRecord);
};

export const toInfo = (
  { heartbeat: _heartbeat, marks: _marks, ...info }: SessionRecord,
  lastActivityAt: number,
): SessionInfo => ({ ...info, lastActivityAt });

/** Takes the values in the order of `sessionColumns`. Runs for every session of a list: one object, no detours. */
const toRecord = (row: readonly unknown[]): SessionRecord => {
  const startedAt = number(row[6]) ?? 0;
  const heartbeat = number(row[9]);
  const source = String(row[1] ?? "");
  const marks = readMarks(row[14]);
  return {
    id: String(row[0]),
    source,
    kind: kindOf(source, marks),
    title: text(row[2]),
    model: text(row[3]),
    cwd: text(row[4]),
    parentId: text(row[5]),
    forkedFrom: marks.branchedFrom,
    startedAt,
    endedAt: number(row[7]),
    endReason: text(row[8]),
    heartbeat,
    lastActivityAt: heartbeat ?? startedAt,
    messageCountHint: number(row[10]) ?? 0,
    rewindCount: number(row[11]) ?? 0,
    archived: Number(row[12] ?? 0) === 1,
    pinned: Number(row[13] ?? 0) === 1,
    marks,
  };
};

const text = (value: unknown): string | null => (typeof value === "string" && value !== "" ? value : null);

const number = (value: unknown): number | null => {
  if (typeof value === "number") return value;
  const found = typeof value === "string" && value !== "" ? Number(value) : value;
  return typeof found === "number" && Number.isFinite(found) ? found : null;
};
