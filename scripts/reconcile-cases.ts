import { readFileSync } from "node:fs";
import { isDeepStrictEqual } from "node:util";
import { merge } from "../common/reconcile/merge.ts";

/**
 * Runs a file of merge cases and ends with `N passed, N failed`; exit code 1 if one failed, 2 if the file cannot be read:
 *
 *   npm run --silent reconcile-cases -- test/cases/reconcile-cases.jsonl
 *
 * One JSON object per line: name, sidecar, state, expected, and optionally options, why and rules. Rows are compared in
 * order on the fields that occur in the case; a merge may add fields of its own.
 */
type Row = Record<string, unknown>;

interface Case {
  readonly name: string;
  readonly sidecar: readonly unknown[];
  readonly state: readonly unknown[];
  readonly expected: readonly Row[];
  readonly options?: Record<string, unknown>;
  readonly rules?: readonly string[];
}

const MAX_SHOWN = 5;

const isRow = (value: unknown): value is Row => typeof value === "object" && value !== null;

const fieldsOf = (test: Case): ReadonlySet<string> =>
  new Set([...test.sidecar, ...test.state, ...test.expected].filter(isRow).flatMap(Object.keys));

/** What a file could hold: JSON values, and only the fields that the case speaks about. */
const comparable = (rows: readonly Row[], fields: ReadonlySet<string>): Row[] =>
  (JSON.parse(JSON.stringify(rows)) as Row[]).map((row) =>
    Object.fromEntries(Object.entries(row).filter(([field]) => fields.has(field))),
  );

const short = (row: Row | undefined): string =>
  row === undefined ? "nothing" : JSON.stringify(row).slice(0, 200);

/** Null if the case passes, else a few lines about the first row that differs. */
const difference = (test: Case): string | null => {
  const fields = fieldsOf(test);
  const actual = comparable(merge(test.sidecar, test.state, test.options ?? {}), fields);
  const expected = comparable(test.expected, fields);
  if (isDeepStrictEqual(actual, expected)) return null;
  const index = expected.findIndex((row, i) => !isDeepStrictEqual(row, actual[i]));
  const at = index < 0 ? expected.length : index;
  return [
    `FAILED ${test.name} (${(test.rules ?? []).join(" ")}): row ${at}, ${actual.length} rows for ${expected.length}`,
    `  expected ${short(expected[at])}`,
    `  got      ${short(actual[at])}`,
  ].join("\n");
};

/** A case that cannot be read or that makes the merge throw has failed as well. */
const outcome = (line: string, number: number): string | null => {
  try {
    return difference(JSON.parse(line) as Case);
  } catch (error) {
    return `FAILED line ${number}: ${error instanceof Error ? error.message : String(error)}`;
  }
};

const readLines = (path: string): readonly string[] => {
  try {
    return readFileSync(path, "utf8").split(/\r?\n/);
  } catch (error) {
    console.error(`cannot read ${path}: ${error instanceof Error ? error.message : String(error)}`);
    process.exit(2);
  }
};

const path = process.argv[2];
if (path === undefined) {
  console.error("usage: npm run --silent reconcile-cases -- <file.jsonl>");
  process.exit(2);
}
const outcomes = readLines(path).flatMap((line, index) =>
  line.trim() === "" ? [] : [outcome(line, index + 1)],
);
const failures = outcomes.filter((text) => text !== null);
for (const failure of failures.slice(0, MAX_SHOWN)) console.log(failure);
if (failures.length > MAX_SHOWN) console.log(`… and ${failures.length - MAX_SHOWN} more`);
console.log(`${outcomes.length - failures.length} passed, ${failures.length} failed`);
process.exitCode = failures.length === 0 ? 0 : 1;
