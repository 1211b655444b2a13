import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "@jest/globals";
import { merge } from "../../../common/reconcile/merge.ts";

const ROOT = fileURLToPath(new URL("../../../", import.meta.url));
const FILES = ["reconcile-cases.jsonl", "reconcile-cases-corrected.jsonl"];

const linesOf = (file: string): string[] =>
  readFileSync(join(ROOT, "test/cases", file), "utf8")
    .split("\n")
    .filter((line) => line !== "");

const runScript = (path: string) => {
  const { status, stdout } = spawnSync(process.execPath, [join(ROOT, "scripts/reconcile-cases.ts"), path], {
    encoding: "utf8",
  });
  return { status, lines: stdout.trimEnd().split("\n") };
};

describe.each(FILES)("%s", (file) => {
  test.each(
    linesOf(file)
      .map((line) => JSON.parse(line))
      .map((one) => [one.name, one] as const),
  )("%s", (_name, { sidecar, state, expected, options }) => {
    const merged = merge(sidecar, state, options ?? {});
    expect(merged).toEqual(expected);
    expect(merge(merged, state, options ?? {})).toEqual(merged);
  });

  test("reconcile-cases runs the file and counts", () => {
    const { status, lines } = runScript(join(ROOT, "test/cases", file));
    expect({ status, last: lines.at(-1) }).toEqual({
      status: 0,
      last: `${linesOf(file).length} passed, 0 failed`,
    });
  });
});

test("reconcile-cases names what fails and exits with 1", () => {
  const directory = mkdtempSync(join(tmpdir(), "talaria-cases-"));
  try {
    const path = join(directory, "cases.jsonl");
    const row = { role: "user", content: "a", timestamp: 1 };
    const lines = [
      JSON.stringify({ name: "good/x", sidecar: [row], state: [row], expected: [row] }),
      JSON.stringify({ name: "bad/x", sidecar: [row], state: [], expected: [], rules: ["R1"] }),
      "{",
    ];
    writeFileSync(path, lines.join("\n"));
    const result = runScript(path);
    expect(result.status).toBe(1);
    expect(result.lines.at(0)).toContain("bad/x");
    expect(result.lines.at(-1)).toBe("1 passed, 2 failed");
  } finally {
    rmSync(directory, { recursive: true });
  }
});
