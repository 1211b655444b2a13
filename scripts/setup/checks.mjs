import { spawn } from "node:child_process";
import { pinnedNode, ROOT } from "./packages.mjs";
import { say } from "./steps.mjs";

/**
 * Runs one check with the pinned Node, output shown. Resolves with `{ok, seconds, output}`; `output` (its last part) is
 * kept only with `capture`.
 */
export const runCheck = (title, args, { env = {}, capture = false } = {}) =>
  new Promise((resolve) => {
    say(`\n── ${title}`);
    const started = Date.now();
    let output = "";
    const child = spawn(pinnedNode(), args, {
      cwd: ROOT,
      env: { ...process.env, ...env },
      stdio: ["inherit", capture ? "pipe" : "inherit", "inherit"],
    });
    child.stdout?.on("data", (data) => {
      process.stdout.write(data);
      output = (output + data).slice(-100_000);
    });
    const done = (ok) => resolve({ ok, seconds: Math.round((Date.now() - started) / 1000), output });
    child.once("error", (error) => {
      say(String(error));
      done(false);
    });
    child.once("close", (code) => done(code === 0));
  });
