import { spawn } from "node:child_process";

/** One progress line. */
export const say = (line) => process.stdout.write(`${line}\n`);

/** A problem the person at the terminal can solve: shown without a stack. */
export class SetupError extends Error {}

/**
 * A slow step: one line when it begins, one every 15 s, one when it is done. Output is shown only when it fails.
 * Rejects with a SetupError that carries the last lines.
 */
export const runStep = (title, command, args, options = {}) =>
  new Promise((resolve, reject) => {
    const started = Date.now();
    const seconds = () => `${Math.round((Date.now() - started) / 1000)} s`;
    say(`${title} …`);
    const child = spawn(command, args, { ...options, stdio: ["ignore", "pipe", "pipe"] });
    let tail = "";
    for (const stream of [child.stdout, child.stderr])
      stream.on("data", (data) => {
        tail = (tail + data).slice(-6000);
      });
    const timer = setInterval(() => say(`  still at it (${seconds()}): ${title}`), 15_000);
    const fail = (reason) => {
      clearInterval(timer);
      reject(new SetupError(`${title} failed: ${reason}\n${tail.trim()}`.trim()));
    };
    child.once("error", (error) =>
      fail(error.code === "ENOENT" ? `${command} was not found` : error.message),
    );
    child.once("close", (code, signal) => {
      if (code !== 0) return fail(signal ?? `exit code ${code}`);
      clearInterval(timer);
      say(`  done (${seconds()})`);
      resolve(tail);
    });
  });

/** Ends the process with a clear message; a stack only for what we did not foresee. */
export const failWith = (error) => {
  process.stderr.write(`${error instanceof SetupError ? error.message : (error?.stack ?? error)}\n`);
  process.exitCode = 1;
};

/** Stops early on a Node that is too old to run these scripts. */
export const checkNode = () => {
  const [major = 0] = process.versions.node.split(".").map(Number);
  if (major >= 20) return;
  process.stderr.write(`Talaria needs Node 20 or newer to start; this is ${process.version}.\n`);
  process.exit(1);
};
