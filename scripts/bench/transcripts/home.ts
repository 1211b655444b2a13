import { statSync } from "node:fs";
import { join } from "node:path";
import Database from "better-sqlite3";
import type { BenchContext, Measure } from "../harness/bench.ts";
import { openRoom, type Room } from "../harness/room.ts";
import { bareScan, makeHome } from "../harness/state-file.ts";
import { once, rate, timed, timesOf, until } from "../harness/timing.ts";
import { httpMeasures } from "./http.ts";
import { searchMeasures } from "./search.ts";

const MESSAGES = 10;

/** A home of many sessions: the first contact with it, its list, and a search over all of it. */
export const homeMeasures = async (outer: BenchContext, sessions: number): Promise<readonly Measure[]> => {
  const many = `${sessions.toLocaleString("en")} sessions`;
  const options = ["--sessions", String(sessions), "--messages", String(MESSAGES)];
  const { context, path } = makeHome(outer, "home-of-many", options);
  const raw = new Database(path, { readonly: true });
  const before = process.memoryUsage().rss;
  const room = await openRoom(context);
  const measures = [
    ...(await firstContact(room, raw, { sessions, many, before })),
    ...(await lists(room, many)),
    ...(await searchMeasures(context, room, `${many}, `)),
  ];
  const [session] = (await room.db.sessions.list({ limit: 1 })).data;
  await room.close();
  const of = { id: session?.id ?? "", storeId: "" };
  measures.push(...(await httpMeasures(context, raw, of, many)));
  raw.close();
  for (const { case: name, talaria, unit } of measures) outer.say(`${name}: ${talaria.toFixed(2)} ${unit}`);
  return measures;
};

const firstContact = async (
  room: Room,
  raw: Database.Database,
  { sessions, many, before }: { readonly sessions: number; readonly many: string; readonly before: number },
): Promise<readonly Measure[]> => {
  const { db } = room;
  const from = performance.now();
  const after = (): number => performance.now() - from;
  await until(async () => (await db.sessions.list({ limit: 50 })).data.length === 50);
  const firstMs = after();
  await until(async () => (await db.read.listStores()).some((store) => store.sessions === sessions));
  const adoptedMs = after();
  const [countedMs, indexedMs] = await Promise.all([
    until(async () => (await db.read.uncounted("default", 1)).length === 0).then(after),
    until(() => db.read.isIndexed("default")).then(after),
  ]);
  const rows = Number(raw.prepare("SELECT COUNT(*) FROM messages").pluck().get());
  const bare = bareCopy(room, raw);
  const scan = "a scan of the rows";
  const scanMs = bareScan(raw);
  return [
    once(`first contact, ${many}: a page of the list`, "ms", firstMs, "INSERT of the sessions", bare),
    once(`first contact, ${many}: the whole list`, "ms", adoptedMs, "INSERT of the sessions", bare),
    once(
      `first contact, ${many}: memory of the process`,
      "MiB",
      (process.memoryUsage().rss - before) / 2 ** 20,
      "the two files",
      fileBytes(room) / 2 ** 20,
    ),
    rate(
      `first contact, ${many}: rows counted (and indexed beside it)`,
      "rows/s",
      rows / (countedMs / 1000),
      scan,
      rows / (scanMs / 1000),
    ),
    rate(
      `first contact, ${many}: rows indexed`,
      "rows/s",
      rows / (indexedMs / 1000),
      "INSERT into FTS5",
      bareIndex(room, raw),
    ),
  ];
};

/** What the process reads and writes meanwhile: state.db and search.db. */
const fileBytes = ({ config }: Room): number =>
  [join(config.home, "state.db"), join(config.stateDir, "search.db")]
    .map((path) => statSync(path).size)
    .reduce((sum, size) => sum + size);

/** All light columns read and written into one table, in one durable transaction. */
const bareCopy = ({ config }: Room, raw: Database.Database): number => {
  const db = new Database(join(config.stateDir, "bare-copy.db"));
  db.pragma("journal_mode = WAL");
  db.exec("CREATE TABLE copies (id TEXT PRIMARY KEY, source, title, model, started_at, message_count)");
  const insert = db.prepare("INSERT INTO copies VALUES (?, ?, ?, ?, ?, ?)");
  const from = performance.now();
  const sql = "SELECT id, source, title, model, started_at, message_count FROM sessions";
  const all = raw.prepare(sql).raw().all() as unknown[][];
  db.transaction(() => {
    for (const row of all) insert.run(...row);
  })();
  const ms = performance.now() - from;
  db.close();
  return ms;
};

/** Rows a second into a full-text table of the same kind, a thousand in a transaction. */
const bareIndex = ({ config }: Room, raw: Database.Database): number => {
  const db = new Database(join(config.stateDir, "bare-index.db"));
  db.pragma("journal_mode = WAL");
  db.pragma("synchronous = NORMAL");
  db.exec("CREATE VIRTUAL TABLE words USING fts5 (text, content = '', prefix = '1 2 3')");
  const insert = db.prepare("INSERT INTO words (rowid, text) VALUES (?, ?)");
  const page = raw
    .prepare("SELECT id, content FROM messages WHERE id > ? AND content IS NOT NULL ORDER BY id LIMIT 1000")
    .raw();
  let [last, count] = [0, 0];
  const step = db.transaction((rows: [number, string][]) => {
    for (const row of rows) insert.run(...row);
  });
  const from = performance.now();
  for (let rows = page.all(last) as [number, string][]; rows.length > 0; ) {
    step(rows);
    count += rows.length;
    last = rows.at(-1)?.[0] ?? last;
    rows = page.all(last) as [number, string][];
  }
  const ms = performance.now() - from;
  db.close();
  return count / (ms / 1000);
};

const lists = async (room: Room, many: string): Promise<readonly Measure[]> => {
  const { sessions } = room.db;
  const { finder } = room.transcript;
  const raw = new Database(join(room.config.stateDir, "talaria.db"), { readonly: true });
  const all = raw.prepare("SELECT * FROM sessions ORDER BY activity_at DESC, id DESC LIMIT ?");
  const bySource = raw.prepare(
    "SELECT * FROM sessions WHERE source = ? ORDER BY activity_at DESC, id DESC LIMIT ?",
  );
  const select = "SELECT of the page";
  const q = "invoice";
  const found = async () =>
    sessions.list({ limit: 50, q, matching: await finder.sessionsMatching(q, undefined) });
  const measures = [
    ...timed(
      `list of 50, ${many}`,
      await timesOf(200, () => sessions.list({ limit: 50 })),
      select,
      await timesOf(200, () => all.all(50)),
    ),
    ...timed(
      `list of 200, ${many}`,
      await timesOf(200, () => sessions.list({ limit: 200 })),
      select,
      await timesOf(200, () => all.all(200)),
    ),
    ...timed(
      `list of 50 of a source, ${many}`,
      await timesOf(200, () => sessions.list({ limit: 50, source: "cli" })),
      select,
      await timesOf(200, () => bySource.all("cli", 50)),
    ),
    ...timed(
      `list of 50 by a word, ${many}`,
      await timesOf(30, found),
      select,
      await timesOf(30, () => all.all(50)),
    ),
  ];
  raw.close();
  return measures;
};
