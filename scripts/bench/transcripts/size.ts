import { join } from "node:path";
import Database from "better-sqlite3";
import type { BenchContext, Measure } from "../harness/bench.ts";
import { openRoom, type Room } from "../harness/room.ts";
import { bareScan, makeHome } from "../harness/state-file.ts";
import { once, rate, type Times, timed, timesOf, until } from "../harness/timing.ts";
import { httpMeasures } from "./http.ts";
import { noticeMeasures } from "./notice.ts";
import { searchMeasures } from "./search.ts";
import type { BenchSession } from "./session.ts";

const PAGE = 50;
const EXPORTED = 100_000;
const PAGE_SQL = "SELECT * FROM messages WHERE session_id = ? AND id < ? ORDER BY id DESC LIMIT ?";
const ROW_NAME = "SELECT of one row";
const PAGE_NAME = "SELECT of the page";

/** One session of `rows` rows beside two small ones: what its readers wait for, and what the others do meanwhile. */
export const sizeMeasures = async (outer: BenchContext, rows: number): Promise<readonly Measure[]> => {
  const size = `${rows.toLocaleString("en")} rows`;
  const options = ["--sessions", "3", "--messages", "40", "--big", String(rows)];
  const { context, path } = makeHome(outer, `rows-${rows}`, options);
  const raw = new Database(path, { readonly: true });
  const room = await openRoom(context);
  const of = await openSessions(room, raw);
  const isLarge = rows >= 1_000_000;
  const measures = [
    ...(isLarge ? await whileCounting(room, raw, of, size) : []),
    ...(await counted(room, raw, rows, isLarge)),
    ...(await pages(room, raw, of.big, size)),
    ...(await polls(room, of.big, size)),
    ...(await noticeMeasures(context, room, of.big, path, size)),
    ...(isLarge ? await searchMeasures(context, room, `${size}, `) : []),
    ...(rows > 10 ? await exported(room, raw, of.big, size) : []),
    ...(await undone(room, of.big, size)),
  ];
  await room.close();
  measures.push(...(await httpMeasures(context, raw, of.big, size)));
  raw.close();
  for (const { case: name, talaria, unit } of measures) outer.say(`${name}: ${talaria.toFixed(2)} ${unit}`);
  return measures;
};

const openSessions = async (
  { db }: Room,
  raw: Database.Database,
): Promise<{ readonly big: BenchSession; readonly other: BenchSession }> => {
  const ids = raw.prepare("SELECT id FROM sessions ORDER BY started_at LIMIT 2").pluck().all() as string[];
  const find = async () => (await db.read.ownersOf("default", ids)).map(({ id }) => id);
  await until(async () => (await find()).length === ids.length);
  const [big = "", other = ""] = await find();
  return { big: { id: big, storeId: ids[0] ?? "" }, other: { id: other, storeId: ids[1] ?? "" } };
};

const barePage = (raw: Database.Database, storeId: string, before: number, rounds = 200): Promise<Times> => {
  const page = raw.prepare(PAGE_SQL);
  return timesOf(rounds, () => page.all(storeId, before, PAGE));
};

const pages = async (
  { transcript: { transcripts } }: Room,
  raw: Database.Database,
  { id, storeId }: BenchSession,
  size: string,
): Promise<readonly Measure[]> => {
  const middle = Number(
    raw.prepare("SELECT (MIN(id) + MAX(id)) / 2 + 1 FROM messages WHERE session_id = ?").pluck().get(storeId),
  );
  const cursor = Buffer.from(JSON.stringify([middle, -1, 0])).toString("base64url");
  const open = await timesOf(200, () => transcripts.page(id, { limit: PAGE }));
  const older = await timesOf(200, () => transcripts.page(id, { limit: PAGE, before: cursor }));
  return [
    ...timed(`open, ${size}`, open, PAGE_NAME, await barePage(raw, storeId, Number.MAX_SAFE_INTEGER)),
    ...timed(`older page, ${size}`, older, PAGE_NAME, await barePage(raw, storeId, middle)),
  ];
};

const polls = async (room: Room, { id }: BenchSession, size: string): Promise<readonly Measure[]> => {
  const poll = await timesOf(1_000, () => room.db.sessions.head(id));
  return timed(`poll, ${size}`, poll, ROW_NAME, await bareRow(room, id));
};

const bareRow = async ({ config }: Room, id: string): Promise<Times> => {
  const own = new Database(join(config.stateDir, "talaria.db"), { readonly: true });
  const row = own.prepare("SELECT * FROM sessions WHERE id = ?");
  const times = await timesOf(1_000, () => row.get(id));
  own.close();
  return times;
};

/** What others wait for while a long session is counted for the first time. */
const whileCounting = async (
  room: Room,
  raw: Database.Database,
  { other }: { readonly other: BenchSession },
  size: string,
): Promise<readonly Measure[]> => {
  const { db } = room;
  const { transcripts } = room.transcript;
  const pages = await timesOf(300, () => transcripts.page(other.id, { limit: PAGE }));
  const polls = await timesOf(300, () => db.sessions.head(other.id));
  if ((await db.read.uncounted("default", 1)).length === 0) throw new Error("the count was over too soon");
  const bare = await barePage(raw, other.storeId, Number.MAX_SAFE_INTEGER, 300);
  return [
    ...timed(`open of another session while ${size} are counted`, pages, PAGE_NAME, bare),
    ...timed(
      `poll of another session while ${size} are counted`,
      polls,
      ROW_NAME,
      await bareRow(room, other.id),
    ),
  ];
};

/** Waits until the mirror has counted and indexed everything; with figures where that takes a while. */
const counted = async (
  { db }: Room,
  raw: Database.Database,
  rows: number,
  isLarge: boolean,
): Promise<readonly Measure[]> => {
  const from = performance.now();
  await until(async () => (await db.read.uncounted("default", 1)).length === 0);
  const countMs = performance.now() - from;
  await until(() => db.read.isIndexed("default"));
  if (!isLarge) return [];
  const scanMs = bareScan(raw);
  return [
    once(
      `rest of the first count, ${rows.toLocaleString("en")} rows`,
      "ms",
      countMs,
      "a scan of the rows",
      scanMs,
    ),
  ];
};

const exported = async (
  { transcript: { transcripts } }: Room,
  raw: Database.Database,
  { id, storeId }: BenchSession,
  size: string,
): Promise<readonly Measure[]> => {
  let from = performance.now();
  let first = 0;
  let count = 0;
  for await (const _message of transcripts.all(id)) {
    if (count++ === 0) first = performance.now() - from;
    if (count === EXPORTED) break;
  }
  const ours = count / ((performance.now() - from) / 1000);
  from = performance.now();
  let scanned = 0;
  for (const _row of raw.prepare("SELECT * FROM messages WHERE session_id = ? ORDER BY id").iterate(storeId))
    if (++scanned === count) break;
  const bare = scanned / ((performance.now() - from) / 1000);
  return [rate(`export, ${size}`, "rows/s", ours, "SELECT of the rows", bare, { firstRowMs: first })];
};

/** Counting anew takes as long as the session is; the person who takes a turn back does not wait for it. */
const undone = async (
  { transcript: { changes } }: Room,
  { id }: BenchSession,
  size: string,
): Promise<readonly Measure[]> => {
  const from = performance.now();
  await changes.undo(id, 1);
  return [once(`undo, ${size}`, "ms", performance.now() - from, "the limit of a second", 1_000)];
};
