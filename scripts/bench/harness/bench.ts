import type { BenchOptions } from "./options.ts";
import type { Processes } from "./processes.ts";

/** One question, answered with numbers. */
export interface Bench {
  readonly name: string;
  readonly question: string;
  run(context: BenchContext): Promise<readonly Measure[]>;
}

export interface BenchContext {
  readonly options: BenchOptions;
  /** Starts everything that is measured and ends what was left running. */
  readonly processes: Processes;
  /** An existing folder for this benchmark alone, removed afterwards. */
  readonly dir: string;
  say(line: string): void;
}

/** One figure of Talaria beside what the same machine does in the same run without it. */
export interface Measure {
  readonly case: string;
  readonly unit: string;
  readonly better: "lower" | "higher";
  readonly talaria: number;
  readonly raw: readonly RawFigure[];
  /** What explains the figure: processor time per process, Redis commands, counts. For the JSON file. */
  readonly details?: Readonly<Record<string, unknown>>;
}

export interface RawFigure {
  readonly name: string;
  readonly value: number;
}

/** How many times the raw figure Talaria costs: 1 is as good, 2 is twice the time or half the rate. */
export const ratioOf = ({ better, talaria }: Measure, raw: RawFigure): number =>
  better === "lower" ? talaria / raw.value : raw.value / talaria;
