/**
 * `npm test`: everything the tests need, then types, lint and jest against a real Redis (its own, or REDIS_URL). Arguments
 * go to jest: `npm test -- test/common`. `--browser` builds the page and runs the browser tests instead, all
 * or those whose names hold one of the other arguments.
 */
import { existsSync, mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { runCheck } from "./setup/checks.mjs";
import { ensurePackages, ROOT } from "./setup/packages.mjs";
import { ensureChromium, ensurePython, ensureRedisServer } from "./setup/programs.mjs";
import { preparePrivateRedis, waitForRedis } from "./setup/redis.mjs";
import { crashedFiles, readClosingLine, readJestReport, recordResult } from "./setup/results.mjs";
import { checkNode, failWith, say } from "./setup/steps.mjs";
import { supervise } from "./setup/supervise.mjs";
import { ensureWeb } from "./setup/web.mjs";

const bin = (path) => join("node_modules", path);
const JEST_FLAGS = ["--experimental-vm-modules", "--disable-warning=ExperimentalWarning"];

const main = async () => {
  checkNode();
  const args = process.argv.slice(2);
  await ensurePackages();
  const browser = args.includes("--browser");
  const results = browser
    ? await browserTests(args.filter((arg) => arg !== "--browser"))
    : await allChecks(args);
  say("");
  for (const { name, ok, passed, failed, seconds } of results)
    say(`${ok ? "ok  " : "FAIL"}  ${name.padEnd(10)} ${passed} passed, ${failed} failed (${seconds} s)`);
  for (const { name, passed, failed } of results) recordResult({ name, passed, failed });
  if (results.some(({ ok }) => !ok)) process.exitCode = 1;
};

const allChecks = async (jestArgs) => [
  await plain("types", ["--noEmit", "-p", "."], bin("typescript/bin/tsc")),
  ...(existsSync(join(ROOT, "api/web/tsconfig.json"))
    ? [await plain("types web", ["--noEmit", "-p", "api/web"], bin("typescript/bin/tsc"))]
    : []),
  await plain("lint", ["check", "--error-on-warnings", "."], bin("@biomejs/biome/bin/biome")),
  await jest(jestArgs),
];

const plain = async (name, args, program) => {
  const { ok, seconds } = await runCheck(name, [program, ...args]);
  return { name, ok, seconds, passed: ok ? 1 : 0, failed: ok ? 0 : 1 };
};

const jest = async (args) => {
  await ensurePython();
  const folder = mkdtempSync(join(tmpdir(), "talaria-test-"));
  try {
    return await withRedis(join(folder, "redis"), async (url) => {
      const env = { TALARIA_TEST_REDIS_URL: url, ...scratch(folder) };
      const first = await runJest("jest", join(folder, "jest.json"), args, env);
      const crashed = crashedFiles(join(folder, "jest.json"));
      if (crashed.length === 0) return first;
      say(
        `\n${crashed.length} test file(s) ran in a process that crashed (SIGSEGV in V8); they run once more.`,
      );
      const paths = ["--runTestsByPath", ...crashed];
      const again = await runJest("jest, once more", join(folder, "again.json"), paths, env);
      const failed = first.failed - crashed.length + again.failed;
      return {
        ...{ name: "jest", ok: failed === 0 && again.ok, seconds: first.seconds + again.seconds },
        ...{ passed: first.passed + again.passed, failed },
      };
    });
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
};

const runJest = async (title, report, args, env) => {
  const { ok, seconds } = await runCheck(
    title,
    [...JEST_FLAGS, bin("jest/bin/jest.js"), "--maxWorkers=2", "--json", `--outputFile=${report}`, ...args],
    { env },
  );
  const counts = readJestReport(report) ?? { passed: 0, failed: 1 };
  return { name: "jest", ok: ok && counts.failed === 0, seconds, ...counts };
};

/** What the tests leave behind goes with the run. */
const scratch = (folder) => {
  const TMPDIR = join(folder, "tmp");
  mkdirSync(TMPDIR);
  return { TMPDIR };
};

/** A server for this run alone; tests that need one they can kill start their own from the same program. */
const withRedis = async (dir, work) => {
  const program = await ensureRedisServer();
  const given = process.env.REDIS_URL;
  if (given !== undefined && given !== "") {
    await waitForRedis(given, { limitMs: 10_000 });
    return work(given);
  }
  const server = await preparePrivateRedis({ program, dir });
  const redis = supervise({ name: "redis", launch: server.launch, isReady: () => true, giveUp: say });
  const stop = async () => {
    await redis.stop(5000);
    process.exit(130);
  };
  process.once("SIGINT", stop).once("SIGTERM", stop);
  try {
    await waitForRedis(server.url);
    return await work(server.url);
  } finally {
    process.off("SIGINT", stop).off("SIGTERM", stop);
    await redis.stop(5000);
  }
};

const browserTests = async (wanted) => {
  const chromium = await ensureChromium();
  await ensureRedisServer();
  await ensureWeb();
  const folder = mkdtempSync(join(tmpdir(), "talaria-test-"));
  try {
    const { ok, seconds, output } = await runCheck("browser", ["test/browser/main.ts", ...wanted], {
      capture: true,
      env: { TALARIA_TEST_CHROMIUM: chromium, ...scratch(folder) },
    });
    const counts = readClosingLine(output) ?? { passed: 0, failed: 1 };
    const failed = ok ? counts.failed : Math.max(counts.failed, 1);
    return [{ name: "browser", ok: failed === 0, seconds, passed: counts.passed, failed }];
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
};

main().catch(failWith);
