import { type ChildProcess, spawn } from "node:child_process";
import type { Readable } from "node:stream";

/**
 * Runs before the command in its process group. The guard waits on a pipe whose other end only the worker holds: when the
 * worker dies, in whatever way, the pipe ends and the guard kills the group. It ignores the signals that end the group
 * politely, so it is there until the end. The command itself gets neither pipe nor guard output.
 */
const GUARDED = `
(trap '' TERM INT HUP; read -r _; kill -KILL 0) <&3 >/dev/null 2>&1 &
exec 3<&- 2>&1
exec /bin/sh -c "$1"
`;

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
  const child = spawn("/bin/sh", ["-c", GUARDED, "sh", options.command], {
    cwd: options.cwd,
    env: options.env,
    detached: true,
    stdio: ["ignore", "pipe", "pipe", "pipe"],
  });
  // The shell itself may write to stderr before it is merged into stdout.
  child.stdout?.on("data", options.onOutput);
  child.stderr?.on("data", options.onOutput);
  let killTimer: ReturnType<typeof setTimeout> | null = null;

  const killGroup = (): void => {
    if (killTimer !== null) clearTimeout(killTimer);
    signalGroup(child, "SIGKILL");
    closePipe(child);
  };

  const ended = new Promise<GroupEnd>((resolve, reject) => {
    child.once("error", (error) => {
      closePipe(child);
      reject(error);
    });
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
      signalGroup(child, "SIGTERM");
    },
  };
};

const signalGroup = (child: ChildProcess, signal: NodeJS.Signals): void => {
  if (child.pid === undefined) return;
  try {
    process.kill(-child.pid, signal);
  } catch {
    // The whole group is gone already.
  }
};

/** Ends the guard's pipe, and with it the guard and whatever is left of the group. */
const closePipe = (child: ChildProcess): void => {
  (child.stdio[3] as Readable | null | undefined)?.destroy();
};
