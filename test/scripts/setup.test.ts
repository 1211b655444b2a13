import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, test } from "@jest/globals";
import { packagesAreCurrent } from "../../scripts/setup/packages.mjs";
import { crashedFiles, readClosingLine, readJestReport, sumResults } from "../../scripts/setup/results.mjs";

const newFolder = (): string => mkdtempSync(join(tmpdir(), "talaria-setup-"));

describe("packages", () => {
  /** A project whose lock names a@1, and what npm says is installed. */
  const project = (installed: Record<string, { version: string }> | null): string => {
    const root = newFolder();
    const packages = {
      "": {},
      "node_modules/a": { version: "1.0.0" },
      "node_modules/b": { version: "1.0.0", optional: true },
    };
    writeFileSync(join(root, "package-lock.json"), JSON.stringify({ packages }));
    if (installed === null) return root;
    mkdirSync(join(root, "node_modules", "node", "bin"), { recursive: true });
    writeFileSync(join(root, "node_modules", "node", "bin", "node"), "");
    writeFileSync(join(root, "node_modules", ".package-lock.json"), JSON.stringify({ packages: installed }));
    return root;
  };

  test("missing, other and equal packages are told apart; optional ones may be missing", () => {
    expect(packagesAreCurrent(project(null))).toBe(false);
    expect(packagesAreCurrent(project({ "node_modules/a": { version: "0.9.0" } }))).toBe(false);
    expect(packagesAreCurrent(project({ "node_modules/a": { version: "1.0.0" } }))).toBe(true);
  });

  test("a changed lock makes them stale, also after they were found current", () => {
    const root = project({ "node_modules/a": { version: "1.0.0" } });
    expect(packagesAreCurrent(root)).toBe(true);
    const lock = readFileSync(join(root, "package-lock.json"), "utf8");
    writeFileSync(join(root, "package-lock.json"), lock.replace("1.0.0", "1.0.1"));
    expect(packagesAreCurrent(root)).toBe(false);
  });
});

describe("results", () => {
  test("a jest report is counted, a suite that could not run is a failure", () => {
    const file = join(newFolder(), "report.json");
    const write = (report: object): void => writeFileSync(file, JSON.stringify(report));
    write({ numPassedTests: 5, numFailedTests: 1, numRuntimeErrorTestSuites: 1, success: false });
    expect(readJestReport(file)).toEqual({ passed: 5, failed: 2 });
    write({ numPassedTests: 5, numFailedTests: 0, numRuntimeErrorTestSuites: 0, success: true });
    expect(readJestReport(file)).toEqual({ passed: 5, failed: 0 });
    expect(readJestReport(`${file}.none`)).toBeNull();
  });

  test("only files whose process ended with SIGSEGV before anything was tested are told as crashed", () => {
    const file = join(newFolder(), "report.json");
    const died = (signal: string): string =>
      `A jest worker process (pid=7) was terminated by another process: signal=${signal}, exitCode=null.`;
    const testResults = [
      { name: "crashed", message: died("SIGSEGV"), assertionResults: [] },
      { name: "killed", message: died("SIGKILL"), assertionResults: [] },
      { name: "failed", message: died("SIGSEGV"), assertionResults: [{ status: "failed" }] },
      { name: "broken", message: "Cannot find module", assertionResults: [] },
    ];
    writeFileSync(file, JSON.stringify({ testResults }));
    expect(crashedFiles(file)).toEqual(["crashed"]);
    expect(crashedFiles(`${file}.none`)).toEqual([]);
  });

  test("the last closing line counts, and sums are over all lines", () => {
    expect(readClosingLine("1 passed, 1 failed\nmore\n12 passed, 0 failed\n")).toEqual({
      passed: 12,
      failed: 0,
    });
    expect(readClosingLine("no 12 passed, 0 failed")).toBeNull();
    const file = join(newFolder(), "results");
    writeFileSync(file, '{"name":"a","passed":2,"failed":1}\n{"name":"b","passed":3,"failed":0}\n');
    expect(sumResults(file)).toEqual({ passed: 5, failed: 1 });
    expect(sumResults(`${file}.none`)).toEqual({ passed: 0, failed: 0 });
  });
});

describe("scripts/run.mjs", () => {
  const ROOT = process.cwd();
  const entry = (text: string): string => {
    const path = join(newFolder(), "entry.ts");
    writeFileSync(path, text);
    return path;
  };

  test("runs a program on the pinned Node with its arguments and exit code", () => {
    const path = entry(
      "const [, script, ...rest] = process.argv; console.log(JSON.stringify([process.version, script, rest])); process.exitCode = Number(rest[0] satisfies string);",
    );
    const { stdout, status } = spawnSync(process.execPath, ["scripts/run.mjs", path, "7", "--x"], {
      cwd: ROOT,
      encoding: "utf8",
    });
    expect(JSON.parse(stdout)).toEqual([process.version, path, ["7", "--x"]]);
    expect(status).toBe(7);
  });

  // The same from an older Node, where one is installed beside the pinned one.
  const system = ["/usr/bin/node", "/usr/local/bin/node"].find((path) => existsSync(path));
  (system === undefined ? test.skip : test)(
    "another Node hands over to the pinned one, signals and exit code included",
    async () => {
      const path = entry(
        'process.on("SIGTERM", () => process.exit(9)); setInterval(() => undefined, 1000); console.log(process.version);',
      );
      const child = spawn(system ?? "", ["scripts/run.mjs", path], {
        cwd: ROOT,
        stdio: ["ignore", "pipe", "inherit"],
      });
      const [version] = (await once(child.stdout, "data")) as [Buffer];
      expect(String(version).trim()).toBe(process.version);
      child.kill("SIGTERM");
      expect((await once(child, "close"))[0]).toBe(9);
    },
  );
});
