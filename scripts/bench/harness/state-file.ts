import { execFileSync } from "node:child_process";
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import type Database from "better-sqlite3";
import type { BenchContext } from "./bench.ts";

const TOOL = "test/tools/make-state-db.py";

/** Writes the state.db of another program, the same one for the same options. */
export const makeStateFile = (path: string, options: readonly string[]): string => {
  execFileSync("python3", [TOOL, path, "--fts", "none", ...options], { stdio: "ignore" });
  return path;
};

/** Milliseconds of one pass over the rows of such a file. */
export const bareScan = (raw: Database.Database): number => {
  const from = performance.now();
  for (const _row of raw.prepare("SELECT id, role, active, substr(content, 1, 64) FROM messages").iterate());
  return performance.now() - from;
};

/** A home of its own inside the benchmark's folder, with such a file for its default profile. */
export const makeHome = (
  context: BenchContext,
  name: string,
  options: readonly string[],
): { readonly context: BenchContext; readonly path: string } => {
  const dir = join(context.dir, name);
  const home = join(dir, "home");
  mkdirSync(home, { recursive: true });
  return { context: { ...context, dir }, path: makeStateFile(join(home, "state.db"), options) };
};
