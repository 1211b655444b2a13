import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll } from "@jest/globals";
import Database from "better-sqlite3";
import { createStateDbReadOps } from "../../../common/state-db/read/module.ts";
import type {
  Answer,
  CountStep,
  DisplayRow,
  Hidden,
  StateDbReadOps,
} from "../../../common/state-db/read/port.ts";

const TOOL = join(process.cwd(), "test", "tools", "make-state-db.py");
/** The interpreter itself: version managers put a slow script of this name on the PATH. */
export const PYTHON = execFileSync("python3", ["-c", "import sys; print(sys.executable)"], {
  encoding: "utf8",
}).trim();

/** Runs the independent writer; resolves its last line of JSON where it prints any. */
export const python = (path: string, ...args: string[]): string =>
  execFileSync(PYTHON, [TOOL, path, ...args], { encoding: "utf8" });
export const mutate = (path: string, ...args: string[]): Record<string, unknown> =>
  JSON.parse(
    python(path, ...args)
      .trim()
      .split("\n")
      .at(-1) ?? "{}",
  ) as Record<string, unknown>;

/** The same in the background; resolves when it has begun to print. */
export const pythonBeside = async (path: string, ...args: string[]): Promise<{ ended: Promise<unknown> }> => {
  const child = spawn(PYTHON, [TOOL, path, ...args], { stdio: ["ignore", "pipe", "inherit"] });
  const ended = once(child, "close");
  await once(child.stdout, "data");
  child.stdout.resume();
  return { ended };
};

/** Runs a piece of Python that prints when it is ready and ends when its input does. */
export const pythonHolding = async (script: string, path: string): Promise<{ end(): Promise<void> }> => {
  const child = spawn(PYTHON, ["-c", script, path], { stdio: ["pipe", "pipe", "inherit"] });
  children.push(child);
  const closed = once(child, "close");
  await once(child.stdout, "data");
  return {
    async end() {
      child.stdin.end();
      await closed;
    },
  };
};

export interface Described {
  readonly digest: string;
  readonly messages: number;
  readonly sessions: readonly {
    readonly id: string;
    readonly source: string;
    readonly parent: string | null;
    readonly end_reason: string | null;
    readonly active: number;
    readonly visible: number;
    readonly max_id: number;
    readonly message_count: number;
  }[];
}
export const describeFile = (path: string): Described => JSON.parse(python(path, "--describe")) as Described;

const folders: string[] = [];
/** A failed test leaves them waiting. */
const children: ChildProcess[] = [];
afterAll(() => {
  for (const child of children) child.kill();
  for (const folder of folders) rmSync(folder, { recursive: true, force: true });
});
export const newPath = (): string => {
  const folder = mkdtempSync(join(tmpdir(), "talaria-read-"));
  folders.push(folder);
  return join(folder, "state.db");
};
export const make = (...options: string[]): string => {
  const path = newPath();
  python(path, ...options);
  return path;
};

export const withOps = <T>(work: (ops: StateDbReadOps) => T): T => {
  const { ops, db } = createStateDbReadOps();
  try {
    return work(ops);
  } finally {
    db.close();
  }
};

export const mustRead = <T>(answer: Answer<T>): T => {
  if (answer.state !== "ok") throw new Error(`${answer.state}: ${answer.message}`);
  return answer.value;
};

/** The whole display set, page by page from the end. */
export const readAll = (
  ops: StateDbReadOps,
  path: string,
  id: string,
  limit = 7,
  more: { readonly hidden?: Hidden | undefined; readonly contentLimit?: number } = {},
): readonly DisplayRow[] => {
  const segments = mustRead(ops.segments(path, id))?.ids ?? [];
  const pages: (readonly DisplayRow[])[] = [];
  for (let before: number | null | undefined; before !== null; ) {
    const page = mustRead(ops.displayPage(path, segments, { limit, before, ...more }));
    pages.unshift(page.rows);
    before = page.nextBefore;
  }
  return pages.flat();
};

/** The whole count, step by step. */
export const countAll = (
  ops: StateDbReadOps,
  path: string,
  segments: readonly string[],
  limit: number,
  hidden?: Hidden,
): { readonly count: number; readonly steps: readonly CountStep[] } => {
  const steps: CountStep[] = [];
  for (let from: number | null | undefined; from !== null; ) {
    const step = mustRead(ops.countDisplay(path, segments, { from, limit, hidden }));
    if (step.next !== null && step.next === from) throw new Error("the count does not move");
    steps.push(step);
    from = step.next;
  }
  return { count: steps.reduce((sum, { count }) => sum + count, 0), steps };
};

/** What a person can tell of rows: who said what. */
export const transcript = (rows: readonly DisplayRow[]): readonly string[] =>
  rows.map((row) => [row.role, row.content, row.toolCallId, row.rawCalls].join("|"));

/** A statement on a connection of its own, as another program would run it. */
export const alter = (path: string, sql: string, ...values: unknown[]): void => {
  const db = new Database(path);
  try {
    db.prepare(sql).run(...values);
  } finally {
    db.close();
  }
};

export const bytesOf = (path: string): string =>
  createHash("sha256").update(readFileSync(path)).digest("hex");
