import type { Bench, Measure } from "./harness/bench.ts";
import type { Figures, ReadFigures, ScopeFigures } from "./raw/profile-env.ts";

/**
 * Question: what does it cost a run that process.env shows its own profile, and for how long is the lock held (profiles P-8)?
 *
 * A run gives way once and does nothing else, so the scope is all there is to see; a real run takes thousands of times as
 * long. Criterion: holds below 5 ms at any number of overlapping scopes; a maximum is told beside that of a bare change,
 * because a process that is put aside by the system in the middle of one shows it in both.
 */
export const profileEnvBench: Bench = {
  name: "profile-env",
  question: "A run in its profile's environment",
  run: async ({ options, processes, dir }) => {
    const [rounds, runs] = options.quick ? [3, 5_000] : [9, 20_000];
    const measured = await processes.startNode("scripts/bench/raw/profile-env.ts", {
      dir,
      name: "profile-env",
      args: [String(rounds), String(runs)],
    });
    const heard = measured.hears("result");
    measured.tell({ type: "begin" });
    const { result } = (await heard) as {
      readonly result: { readonly scopes: readonly ScopeFigures[]; readonly reads: ReadFigures };
    };
    await measured.end();
    return [...result.scopes.flatMap(scopeMeasures), ...readMeasures(result.reads)];
  },
};

/** A run without a profile, a change of a set without a lock, Node's own process.env. */
const RAW = "without profiles";

const scopeMeasures = ({ lanes, bare, scoped, holds, change }: ScopeFigures): Measure[] => {
  const at = `${lanes} at once`;
  const hold = (name: keyof Figures): Measure => ({
    case: `${at}, lock held, ${name}`,
    unit: "µs",
    better: "lower",
    talaria: holds[name],
    raw: [{ name: RAW, value: change[name] }],
  });
  return [
    {
      case: `${at}, empty runs`,
      unit: "runs/s",
      better: "higher",
      talaria: scoped,
      raw: [{ name: RAW, value: bare }],
    },
    hold("p50"),
    hold("p99"),
    hold("max"),
  ];
};

const readMeasures = (reads: ReadFigures): Measure[] => {
  const read = (name: string, talaria: number, value: number): Measure => ({
    case: name,
    unit: "ns",
    better: "lower",
    talaria,
    raw: [{ name: RAW, value }],
  });
  return [
    read("read process.env.X outside of a run", reads.outside, reads.bare),
    read("read a variable of the profile", reads.insideOwn, reads.bare),
    read("read a variable of the base in a run", reads.insideBase, reads.bare),
    read("copy process.env in a run (50 variables)", reads.insideCopy, reads.bareCopy),
  ];
};
