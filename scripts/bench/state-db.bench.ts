import { join } from "node:path";
import Database from "better-sqlite3";
import { startStoreThread } from "../../common/sqlite/client.ts";
import { createStateDbReadOps } from "../../common/state-db/read/module.ts";
import type { Answer, StateDbReadOps } from "../../common/state-db/read/port.ts";
import { watchStateDb } from "../../common/state-db/read/watch.ts";
import type { Bench, BenchContext, Measure } from "./harness/bench.ts";
import { percentile } from "./harness/numbers.ts";
import { makeStateFile } from "./harness/state-file.ts";
import { once } from "./harness/timing.ts";

/**
 * Question: what does reading a foreign state.db cost: the list of 10,000 sessions, a page, a poll and the notice of an
 * outside append, in sessions of 10, 10,000 and 1,000,000 rows?
 *
 * The raw limit is the bare SQLite query on a connection of its own, in the same run. Criterion: page and poll cost the
 * same at every size; the list stays under 50 ms, an append is told within a second. Figures are medians.
 */
export const stateDbBench: Bench = {
  name: "state-db",
  question: "Milliseconds to list, open, poll and notice appends in a state.db of other programs",
  run: async (context) => {
    const { ops, db } = createStateDbReadOps();
    try {
      const measures = [...listMeasures(context, ops)];
      for (const rows of context.options.quick ? [10, 10_000] : [10, 10_000, 1_000_000])
        measures.push(...(await sessionMeasures(context, ops, rows)));
      return measures;
    } finally {
      db.close();
    }
  },
};

const PAGE = 100;

const listMeasures = (context: BenchContext, ops: StateDbReadOps): readonly Measure[] => {
  const sessions = context.options.quick ? 2_000 : 10_000;
  const path = makeFile(context, `list-${sessions}`, ["--sessions", String(sessions), "--messages", "4"]);
  const writer = new Database(path);
  const raw = writer.prepare("SELECT id, source, title, started_at, message_count FROM sessions");
  let count = 0;
  const change = (): unknown => writer.prepare("UPDATE sessions SET message_count = ?").run(++count);
  const list = (): unknown => must(ops.listSessions(path, { limit: PAGE }));
  const bare = median(20, () => raw.all());
  const measures = [
    once(`list of ${sessions} sessions, unchanged file`, "ms", median(200, list), "every session row", bare),
    once(
      `list of ${sessions} sessions, after a change`,
      "ms",
      median(20, list, change),
      "every session row",
      bare,
    ),
  ];
  writer.close();
  return measures;
};

const sessionMeasures = async (
  context: BenchContext,
  ops: StateDbReadOps,
  rows: number,
): Promise<readonly Measure[]> => {
  const path = makeFile(context, `rows-${rows}`, ["--sessions", "1", "--big", String(rows)]);
  const raw = new Database(path, { readonly: true });
  const id = String(raw.prepare("SELECT id FROM sessions").pluck().get());
  const page = raw.prepare("SELECT * FROM messages WHERE session_id = ? AND id < ? ORDER BY id DESC LIMIT ?");
  const newest = raw.prepare("SELECT MAX(id) FROM messages WHERE session_id = ?");
  const segments = must(ops.segments(path, id))?.ids ?? [];
  const { watermark } = must(ops.changesSince(path, null, 1));
  const middle = Math.max(2, Math.floor(rows / 2));
  const open = (before?: number): unknown => must(ops.displayPage(path, segments, { limit: PAGE, before }));
  const poll = (): unknown => [must(ops.dataVersion(path)), must(ops.changesSince(path, watermark, 500))];
  const size = `${rows.toLocaleString("en")} rows`;
  const bare = (before: number): number => median(100, () => page.all(id, before, PAGE));
  const measures = [
    once(
      `open, ${size}`,
      "ms",
      median(100, () => open()),
      "SELECT of the page",
      bare(rows + 1),
    ),
    once(
      `older page, ${size}`,
      "ms",
      median(100, () => open(middle)),
      "SELECT of the page",
      bare(middle),
    ),
    once(
      `poll, ${size}`,
      "ms",
      median(500, poll),
      "MAX(id) of the session",
      median(500, () => newest.get(id)),
    ),
  ];
  raw.close();
  measures.push(await noticeMeasure(path, id, size));
  context.say(measures.map((measure) => `${measure.case}: ${measure.talaria.toFixed(3)} ms`).join("; "));
  return measures;
};

/** From the commit of another connection to the watcher's word, through the thread. */
const noticeMeasure = async (path: string, id: string, size: string): Promise<Measure> => {
  const module = new URL("../../common/state-db/read/module.ts", import.meta.url);
  const thread = await startStoreThread<StateDbReadOps>(module, "read", {});
  const stopping = new AbortController();
  let told: () => void = () => undefined;
  const started = new Promise<void>((resolve) => {
    told = resolve;
  });
  const ended = watchStateDb({
    path,
    call: thread.call,
    onChanges: ({ changes }) => {
      if (changes.length > 0) told();
    },
    onReplaced: () => undefined,
    onState: () => told(),
    signal: stopping.signal,
  });
  await started;
  const writer = new Database(path);
  const insert = writer.prepare(
    "INSERT INTO messages (session_id, role, content, timestamp) VALUES (?, 'user', 'hello', 1)",
  );
  const times: number[] = [];
  for (let round = 0; round < 20; round++) {
    const noticed = new Promise<void>((resolve) => {
      told = resolve;
    });
    const from = performance.now();
    insert.run(id);
    await noticed;
    times.push(performance.now() - from);
  }
  writer.close();
  stopping.abort();
  await ended;
  await thread.close();
  const sorted = Float64Array.from(times);
  return once(`outside append told, ${size}`, "ms", percentile(sorted, 50), "the limit of a second", 1000, {
    max: sorted.at(-1),
  });
};

const makeFile = (context: BenchContext, name: string, options: readonly string[]): string =>
  makeStateFile(join(context.dir, `${name}.db`), options);

const must = <T>(answer: Answer<T>): T => {
  if (answer.state !== "ok") throw new Error(`${answer.state}: ${answer.message}`);
  return answer.value;
};

const median = (rounds: number, work: () => unknown, before: () => unknown = () => undefined): number => {
  const times = new Float64Array(rounds);
  for (let round = -2; round < rounds; round++) {
    before();
    const from = performance.now();
    work();
    if (round >= 0) times[round] = performance.now() - from;
  }
  return percentile(times, 50);
};
