import { type ChildProcess, spawn } from "node:child_process";
import type { Readable } from "node:stream";

/**
 * Runs before the command in its process group. The guard waits on a pipe whose other end only the worker holds: when the
 * worker dies, in whatever way, the pipe ends and the guard kills the group. It ignores the signals that end the group
 * politely, so it is there until the end. The command itself gets neither pipe nor guard output.
 */
const GUARDED = `
(trap '' TERM INT HUP; read -r _; kill -KILL 0) <&3 >/dev/null 2>&1 &
`;
const COMMAND = {
  /** Both outputs arrive in one pipe, in order. */
  merged: `${GUARDED}exec 3<&- 2>&1\nexec "$@"\n`,
  apart: `${GUARDED}exec 3<&-\nexec "$@"\n`,
};

export interface GuardedChild {
  readonly child: ChildProcess;
  /** To the whole group; nothing happens when it is gone. */
  signal(signal: NodeJS.Signals): void;
  /** Ends the whole group, the guard included, by force. Twice is harmless. */
  kill(): void;
}

/**
 * Starts a program as a process group of its own that does not outlive this process. It is looked up in the PATH of `env`; where
 * there is none it ends with 127, and with 126 when it cannot be executed.
 */
export const spawnGuarded = (options: {
  /** The program and its arguments. */
  readonly argv: readonly string[];
  readonly cwd: string;
  /** The whole environment: nothing is inherited. */
  readonly env: Readonly<Record<string, string>>;
  readonly input: "none" | "pipe";
  readonly outputs: "merged" | "apart";
}): GuardedChild => {
  const { argv, cwd, env, input, outputs } = options;
  const child = spawn("/bin/sh", ["-c", COMMAND[outputs], "sh", ...argv], {
    cwd,
    env,
    detached: true,
    stdio: [input === "pipe" ? "pipe" : "ignore", "pipe", "pipe", "pipe"],
  });
  const signal = (name: NodeJS.Signals): void => {
    if (child.pid === undefined) return;
    try {
      process.kill(-child.pid, name);
    } catch {
      // The whole group is gone already.
    }
  };
  /** Ends the guard's pipe, and with it the guard and whatever is left of the group. */
  const closePipe = (): void => {
    (child.stdio[3] as Readable | null | undefined)?.destroy();
  };
  child.once("error", closePipe);
  return {
    child,
    signal,
    kill: () => {
      signal("SIGKILL");
      closePipe();
    },
  };
};
