import { join } from "node:path";
import Database from "better-sqlite3";
import { merge } from "../../../common/reconcile/merge.ts";
import type { BenchContext, Measure } from "../harness/bench.ts";
import { makeStateFile } from "../harness/state-file.ts";
import { type Times, timed, timesOf } from "../harness/timing.ts";

const ROUNDS = 10;

/**
 * The merge of an imported transcript with its store, beside a pass over a Map by id, which does no more than look rows up.
 * A page that is read merges nothing: what a merge on each read would cost more stands here.
 */
export const mergeMeasures = async (context: BenchContext, rows: number): Promise<readonly Measure[]> => {
  const options = ["--sessions", "1", "--messages", "10", "--big", String(rows)];
  const raw = new Database(makeStateFile(join(context.dir, "merge.db"), options), { readonly: true });
  const size = `${rows.toLocaleString("en")} with ${rows.toLocaleString("en")} rows`;
  const read = raw.prepare(
    `SELECT id AS _state_db_row_id, role, content, timestamp, tool_calls, tool_call_id, tool_name FROM messages
     WHERE session_id = (SELECT id FROM sessions ORDER BY started_at LIMIT 1) ORDER BY id`,
  );
  const store = read.all() as Record<string, unknown>[];
  const named = store.map((row) => ({ ...row }));
  // As an older product kept them: whole seconds, no name of the row.
  const nameless = store.map(({ _state_db_row_id, timestamp, ...row }) => ({
    ...row,
    timestamp: Math.floor(Number(timestamp)),
  }));
  const byId = await timesOf(ROUNDS, () => pass(named, store));
  const page = raw.prepare("SELECT * FROM messages ORDER BY id DESC LIMIT 50");
  const pages = await timesOf(ROUNDS, () => page.all());
  const onRead = await timesOf(ROUNDS, () => merge(nameless, read.all()).slice(-50));
  raw.close();
  const measures: readonly Measure[] = [
    ...(await against(`merge of ${size}, with row ids`, named, store, byId)),
    ...(await against(`merge of ${size}, by content`, nameless, store, byId)),
    ...timed(`a page by merging ${size}`, onRead, "SELECT of the page", pages, 95),
  ];
  for (const { case: name, talaria, unit } of measures) context.say(`${name}: ${talaria.toFixed(2)} ${unit}`);
  return measures;
};

const against = async (
  name: string,
  sidecar: readonly unknown[],
  store: readonly unknown[],
  raw: Times,
): Promise<readonly Measure[]> =>
  timed(name, await timesOf(ROUNDS, () => merge(sidecar, store)), "a Map by id", raw, 95);

const pass = (
  sidecar: readonly Record<string, unknown>[],
  store: readonly Record<string, unknown>[],
): readonly Record<string, unknown>[] => {
  const byId = new Map(sidecar.map((row) => [row._state_db_row_id, row]));
  return store.map((row) => ({ ...byId.get(row._state_db_row_id), ...row }));
};
