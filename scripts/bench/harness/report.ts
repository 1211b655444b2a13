import { type Measure, ratioOf } from "./bench.ts";
import type { Machine } from "./machine.ts";

export interface BenchResult {
  readonly name: string;
  readonly question: string;
  readonly seconds: number;
  readonly measures: readonly Measure[];
}

/** One table per benchmark, as Markdown: it reads the same in a terminal and in a document. */
export const reportText = (machine: Machine, results: readonly BenchResult[]): string => {
  const { cores, cpu, memoryGib, system, node, redis, sqlite, loadBefore } = machine;
  const head = `${cores} cores (${cpu}), ${memoryGib} GiB, ${system}; Node ${node}, Redis ${redis}, SQLite ${sqlite}; load before: ${loadBefore}`;
  return [head, ...results.map(table)].join("\n\n");
};

/** The same for programs, ratios included. */
export const reportJson = (machine: Machine, results: readonly BenchResult[]): string => {
  const benches = results.map((result) => ({
    ...result,
    measures: result.measures.map((measure) => ({
      ...measure,
      raw: measure.raw.map((raw) => ({ ...raw, ratio: ratioOf(measure, raw) })),
    })),
  }));
  return `${JSON.stringify({ at: new Date().toISOString(), machine, benches }, null, 2)}\n`;
};

const table = ({ question, measures }: BenchResult): string => {
  const names = new Set(measures.map(({ raw }) => JSON.stringify(raw.map(({ name }) => name))));
  const raws = measures[0]?.raw.map(({ name }) => name) ?? [];
  // Where each row has a raw limit of its own, it is named beside its figure.
  const isMixed = names.size > 1;
  const header = [question, "Talaria"].concat(
    isMixed ? ["raw limit, same run", "ratio"] : raws.flatMap((name) => [name, "ratio"]),
  );
  const rows = measures.map((measure) => [
    measure.case,
    `${shown(measure.talaria)} ${measure.unit}`,
    ...measure.raw.flatMap((raw) => [
      isMixed ? `${shown(raw.value)} (${raw.name})` : shown(raw.value),
      ratioOf(measure, raw).toFixed(2),
    ]),
  ]);
  const widths = header.map((title, column) =>
    Math.max(title.length, ...rows.map((row) => row[column]?.length ?? 0)),
  );
  const line = (cells: readonly string[]): string =>
    `| ${cells.map((cell, i) => (i === 0 ? cell.padEnd(widths[i] ?? 0) : cell.padStart(widths[i] ?? 0))).join(" | ")} |`;
  const rule = `|${widths.map((width, i) => (i === 0 ? "-".repeat(width + 2) : `${"-".repeat(width + 1)}:`)).join("|")}|`;
  return [line(header), rule, ...rows.map(line)].join("\n");
};

/** Three digits that mean something. */
const shown = (value: number): string => {
  if (!Number.isFinite(value)) return "–";
  const digits = value >= 100 ? 0 : value >= 10 ? 1 : 2;
  return value.toLocaleString("en", { minimumFractionDigits: digits, maximumFractionDigits: digits });
};
