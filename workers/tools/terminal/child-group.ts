import { spawnGuarded } from "./guarded-spawn.ts";

/** A grandchild may hold the output open for ever; this long after the command itself ended it is not waited for. */
const OUTPUT_GRACE_MS = 500;

export interface GroupEnd {
  /** `null` when a signal ended the command. */
  readonly exitCode: number | null;
  readonly signal: string | null;
}

export interface ChildGroup {
  /** Resolves once, when the command has ended and its output was read. Rejects when it could not be started. */
  readonly ended: Promise<GroupEnd>;
  /** Ends the group politely, and by force after `graceMs`. Twice is harmless. */
  stop(graceMs: number): void;
}

/** Starts `/bin/sh -c command` as a group of its own; stdout and stderr arrive merged, in order, at `onOutput`. */
export const startGroup = (options: {
  readonly command: string;
  readonly cwd: string;
  readonly env: Readonly<Record<string, string>>;
  readonly onOutput: (chunk: Buffer) => void;
}): ChildGroup => {
  const { command, cwd, env, onOutput } = options;
  const guarded = spawnGuarded({
    argv: ["/bin/sh", "-c", command],
    cwd,
    env,
    input: "none",
    outputs: "merged",
  });
  const { child } = guarded;
  // The shell itself may write to stderr before it is merged into stdout.
  child.stdout?.on("data", onOutput);
  child.stderr?.on("data", onOutput);
  let killTimer: ReturnType<typeof setTimeout> | null = null;

  const killGroup = (): void => {
    if (killTimer !== null) clearTimeout(killTimer);
    guarded.kill();
  };

  const ended = new Promise<GroupEnd>((resolve, reject) => {
    child.once("error", reject);
    child.once("exit", (exitCode, signal) => {
      // What the command left behind ends with it; a group being stopped keeps its grace.
      if (killTimer === null) killGroup();
      const settle = (): void => {
        clearTimeout(outputTimer);
        for (const stream of [child.stdout, child.stderr]) stream?.destroy();
        resolve({ exitCode, signal });
      };
      const outputTimer = setTimeout(settle, OUTPUT_GRACE_MS);
      child.once("close", settle);
    });
  });

  return {
    ended,
    stop(graceMs) {
      if (killTimer !== null || child.pid === undefined) return;
      killTimer = setTimeout(killGroup, graceMs);
      guarded.signal("SIGTERM");
    },
  };
};
