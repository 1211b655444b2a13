/**
 * What CI runs: `npm test`, then the browser tests, on a fresh clone, in less than 30 minutes. The last line is the sum:
 * `N passed, N failed`.
 */
import { spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { ROOT } from "./setup/packages.mjs";
import { sumResults } from "./setup/results.mjs";
import { say } from "./setup/steps.mjs";
import { signalGroup } from "./setup/supervise.mjs";

const LIMIT_MS = 28 * 60_000;

const main = async () => {
  const folder = mkdtempSync(join(tmpdir(), "talaria-ci-"));
  const file = join(folder, "results");
  const end = Date.now() + LIMIT_MS;
  let broken = 0;
  for (const script of ["test", "test:browser"]) {
    const before = sumResults(file).failed;
    const ok = await npm(script, { TALARIA_TEST_RESULTS: file }, end - Date.now());
    // It failed without a count: it could not even begin.
    if (!ok && sumResults(file).failed === before) broken += 1;
  }
  const { passed, failed } = sumResults(file);
  rmSync(folder, { recursive: true, force: true });
  process.exitCode = failed + broken === 0 && passed > 0 ? 0 : 1;
  say(`\n${passed} passed, ${failed + broken} failed`);
};

/** Runs an npm script in a process group of its own, so that all of it ends when time is over. */
const npm = (script, env, limitMs) =>
  new Promise((resolve) => {
    const child = spawn("npm", ["run", script], {
      cwd: ROOT,
      env: { ...process.env, ...env },
      stdio: ["ignore", "inherit", "inherit"],
      detached: true,
    });
    const pass = (signal) => child.pid !== undefined && signalGroup(child.pid, signal);
    const timer = setTimeout(
      () => {
        say(`npm run ${script} takes too long and is stopped.`);
        pass("SIGTERM");
        setTimeout(() => pass("SIGKILL"), 10_000).unref();
      },
      Math.max(limitMs, 0),
    );
    process.on("SIGINT", pass).on("SIGTERM", pass);
    const done = (ok) => {
      clearTimeout(timer);
      process.off("SIGINT", pass).off("SIGTERM", pass);
      resolve(ok);
    };
    child.once("error", () => done(false));
    child.once("close", (code) => done(code === 0));
  });

await main();
