import type { Bench } from "./harness/bench.ts";
import { homeMeasures } from "./transcripts/home.ts";
import { mergeMeasures } from "./transcripts/merge.ts";
import { sizeMeasures } from "./transcripts/size.ts";

/**
 * Question: what does the one transcript of sidecar and state.db cost its readers, in sessions of 10, 10,000 and 1,000,000
 * rows and in a home with 10,000 sessions?
 *
 * The raw limit is the bare SQLite statement for the same rows on a connection of its own, in the same run. Criterion: a poll
 * within 2 ms, a page within 40 ms, a list within 50 ms, an outside append told within a second, each at every size; a first
 * contact shows the list at once; an export gives 50,000 rows a second; nobody waits for somebody else's count.
 */
export const transcriptsBench: Bench = {
  name: "transcripts",
  question: "Sessions of state.db",
  run: async (context) => {
    const measures = [];
    for (const rows of context.options.quick ? [10, 10_000] : [10, 10_000, 1_000_000])
      measures.push(...(await sizeMeasures(context, rows)));
    measures.push(...(await homeMeasures(context, context.options.quick ? 2_000 : 10_000)));
    measures.push(...(await mergeMeasures(context, context.options.quick ? 2_000 : 10_000)));
    return measures;
  },
};
