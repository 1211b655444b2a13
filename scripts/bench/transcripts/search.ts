import { join } from "node:path";
import Database from "better-sqlite3";
import type { BenchContext, Measure } from "../harness/bench.ts";
import type { Room } from "../harness/room.ts";
import { timed, timesOf } from "../harness/timing.ts";

const HITS = 20;

/** What a person types, and the same for the bare full-text table. */
const QUERIES = [
  ["a common word", "ok", '"ok"'],
  ["a rare word", "987", '"987"'],
  ["two words", "invoice export", '"invoice" AND "export"'],
  ["a beginning", "rel", '"rel" *'],
] as const;

export const searchMeasures = async (
  { options }: BenchContext,
  { config, transcript: { finder } }: Room,
  where: string,
): Promise<readonly Measure[]> => {
  const index = new Database(join(config.stateDir, "search.db"), { readonly: true });
  const match = index.prepare("select rowid from words where words match ? order by rowid desc limit ?");
  const rounds = options.quick ? 20 : 50;
  const measures: Measure[] = [];
  for (const [name, q, expression] of QUERIES)
    measures.push(
      ...timed(
        `search, ${where}${name}`,
        await timesOf(rounds, () => finder.search({ q, limit: HITS })),
        "FTS5 match",
        await timesOf(rounds, () => match.all(expression, HITS)),
      ),
    );
  index.close();
  return measures;
};
