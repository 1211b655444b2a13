import { type ChildProcess, spawn } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const ROOT = fileURLToPath(new URL("../../", import.meta.url));
const NODE = join(ROOT, "node_modules/.bin/node");

/** A process of the product, started as plain Node: no jest in it. */
export interface TestProcess {
  readonly pid: number;
  /** What it said over IPC when it was ready. */
  readonly ready: Readonly<Record<string, unknown>>;
  signal(signal: NodeJS.Signals): void;
  /** SIGKILL; resolves when it is gone. */
  kill(): Promise<void>;
  /** SIGTERM; resolves with the exit code. */
  stop(): Promise<number | null>;
  readonly exited: Promise<number | null>;
  /** Everything it has written so far. */
  output(): string;
  /** Resolves when it has written `text`. */
  says(text: string): Promise<void>;
}

/** A start takes a second; on a machine full of other tests it may take many. */
const READY_MS = 40_000;

const running = new Set<ChildProcess>();

/** Starts `entry` (from the project's root) and waits for its `ready` message; rejects with its output when it ends before. */
export const startProcess = (
  entry: string,
  env: Readonly<Record<string, string>>,
  args: readonly string[] = [],
): Promise<TestProcess> =>
  new Promise((resolve, reject) => {
    const child = spawn(NODE, ["--disable-warning=ExperimentalWarning", entry, ...args], {
      cwd: ROOT,
      env: { PATH: process.env.PATH ?? "", HOME: process.env.HOME ?? "", ...env },
      stdio: ["ignore", "pipe", "pipe", "ipc"],
    });
    running.add(child);
    let output = "";
    const listeners = new Set<() => void>();
    const keep = (chunk: Buffer): void => {
      output = (output + chunk.toString()).slice(-200_000);
      for (const listen of listeners) listen();
    };
    child.stdout?.on("data", keep);
    child.stderr?.on("data", keep);
    const exited = new Promise<number | null>((done) => child.once("exit", (code) => done(code)));
    const overdue = setTimeout(() => {
      reject(new Error(`${entry} was not ready in ${READY_MS} ms:\n${output}`));
    }, READY_MS);
    void exited.then((code) => {
      clearTimeout(overdue);
      running.delete(child);
      reject(new Error(`${entry} ended with ${code} before it was ready:\n${output}`));
    });
    child.on("message", (message: Record<string, unknown>) => {
      if (message.type !== "ready") return;
      clearTimeout(overdue);
      resolve({
        pid: child.pid ?? 0,
        ready: message,
        signal: (signal) => void child.kill(signal),
        kill: async () => {
          child.kill("SIGKILL");
          await exited;
        },
        stop: () => {
          child.kill("SIGTERM");
          return exited;
        },
        exited,
        output: () => output,
        says: (text) =>
          new Promise((heard) => {
            const listen = (): void => {
              if (!output.includes(text)) return;
              listeners.delete(listen);
              heard();
            };
            listeners.add(listen);
            listen();
          }),
      });
    });
  });

/** Ends what a test left running. */
export const endProcesses = async (): Promise<void> => {
  await Promise.all(
    [...running].map(
      (child) =>
        new Promise<void>((done) => {
          child.once("exit", () => done());
          child.kill("SIGKILL");
        }),
    ),
  );
};
process.once("exit", () => {
  for (const child of running) child.kill("SIGKILL");
});

/** Whether the process runs; a zombie that nobody has waited for still takes signals, and does not. */
export const isAlive = (pid: number): boolean => {
  try {
    process.kill(pid, 0);
    return !/^State:\s+Z/m.test(readFileSync(`/proc/${pid}/status`, "utf8"));
  } catch {
    return false;
  }
};
