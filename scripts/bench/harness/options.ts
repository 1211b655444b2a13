import { resolve } from "node:path";
import { parseArgs } from "node:util";

export interface BenchOptions {
  /** Fewer and shorter measurements: for a look, not for a table in a document. */
  readonly quick: boolean;
  /** Names of the benchmarks to run. */
  readonly only: readonly string[];
  /** Where the results are written as JSON. */
  readonly out: string;
  /** Folder for CPU profiles of the measured processes; null: none. */
  readonly profileDir: string | null;
}

export const USAGE = "npm run bench -- [--quick] [--only name[,name]] [--out file.json] [--cpu-prof folder]";

/** Reads the command line; throws an `Error` for people on a wrong one. */
export const readOptions = (argv: readonly string[], names: readonly string[]): BenchOptions => {
  const { values } = parseArgs({
    args: [...argv],
    options: {
      quick: { type: "boolean", default: false },
      only: { type: "string", multiple: true, default: [] },
      out: { type: "string", default: "bench-results.json" },
      "cpu-prof": { type: "string" },
    },
  });
  const only = values.only.flatMap((text) => text.split(",")).map((name) => name.trim());
  const unknown = only.filter((name) => !names.includes(name));
  if (unknown.length > 0)
    throw new Error(`no benchmark ${unknown.join(", ")}; there are ${names.join(", ")}`);
  return {
    quick: values.quick,
    only: only.length === 0 ? names : only,
    out: values.out,
    profileDir: values["cpu-prof"] === undefined ? null : resolve(values["cpu-prof"]),
  };
};
