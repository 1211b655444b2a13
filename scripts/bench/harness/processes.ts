import { type ChildProcess, spawn } from "node:child_process";
import { closeSync, openSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

export interface ProcessUsage {
  /** User and system time of all threads, in microseconds. */
  readonly cpuUs: number;
  /** Bytes. */
  readonly rss: number;
  readonly heapUsed: number;
  readonly external: number;
}

/** A child process, ready. */
export interface BenchProcess {
  readonly pid: number;
  /** What it said when it was ready. */
  readonly ready: Readonly<Record<string, unknown>>;
  /** Only for processes of ours (Node). */
  usage(): Promise<ProcessUsage>;
  /** Sends it a message; nothing to expect. */
  tell(message: Readonly<Record<string, unknown>>): void;
  /** Resolves with its next message of this type. */
  hears(type: string): Promise<Readonly<Record<string, unknown>>>;
  /** SIGTERM, and SIGKILL when it has not ended after five seconds. */
  end(): Promise<void>;
}

export interface StartOptions {
  readonly env?: Readonly<Record<string, string>>;
  readonly args?: readonly string[];
  readonly nodeFlags?: readonly string[];
  /** Output that means ready, in place of the IPC message. */
  readonly readyLine?: RegExp;
  /** Folder for the process' log. */
  readonly dir: string;
  /** Name in messages and of the log. */
  readonly name: string;
}

export interface Processes {
  /** Runs a program of the project (path from its root) on this Node; ready with its IPC message `{type: "ready"}`. */
  startNode(entry: string, options: StartOptions): Promise<BenchProcess>;
  /** Runs any program; ready when its output matches. */
  startProgram(program: string, readyLine: RegExp, options: StartOptions): Promise<BenchProcess>;
  /** Ends what still runs. */
  endAll(): Promise<void>;
  /** The same at once, for the end of this process. */
  killAll(): void;
}

const ROOT = fileURLToPath(new URL("../../../", import.meta.url));
const PROBE = fileURLToPath(new URL("./probe.ts", import.meta.url));
const READY_LIMIT_MS = 30_000;
const END_LIMIT_MS = 5_000;

/** `profileDir`: every Node process writes a CPU profile of each of its threads there when it ends. */
export const createProcesses = (profileDir: string | null): Processes => {
  const running = new Map<ChildProcess, BenchProcess>();
  const profiling = (name: string): string[] =>
    profileDir === null ? [] : ["--cpu-prof", `--cpu-prof-dir=${join(profileDir, name)}`];

  const start = (
    program: string,
    args: readonly string[],
    { env = {}, dir, name }: StartOptions,
    { ipc, line }: { readonly ipc: boolean; readonly line: RegExp | null },
  ): Promise<BenchProcess> => {
    const logFile = join(dir, `${name}.log`);
    // A file and not a pipe: what the measured processes log must cost this process nothing.
    const log = openSync(logFile, "a");
    const child = spawn(program, args, {
      cwd: ROOT,
      env: { PATH: process.env.PATH ?? "", HOME: process.env.HOME ?? "", ...env },
      stdio: ["ignore", line === null ? log : "pipe", log, ...(ipc ? (["ipc"] as const) : [])],
    });
    closeSync(log);
    const exited = new Promise<void>((resolve) => child.once("exit", () => resolve()));
    const handle = (ready: Readonly<Record<string, unknown>>): BenchProcess => ({
      pid: child.pid ?? 0,
      ready,
      usage: async () => {
        const answer = heard(child, "usage");
        child.send({ type: "usage" });
        return (await answer) as unknown as ProcessUsage;
      },
      tell: (message) => void child.send(message),
      hears: (type) => heard(child, type),
      end: async () => {
        if (child.exitCode !== null || child.signalCode !== null) return;
        child.kill("SIGTERM");
        const timer = setTimeout(() => child.kill("SIGKILL"), END_LIMIT_MS);
        await exited;
        clearTimeout(timer);
      },
    });
    running.set(child, handle({}));
    void exited.then(() => running.delete(child));

    return new Promise((resolve, reject) => {
      let settled = false;
      const fail = (why: string): void => {
        if (settled) return;
        settled = true;
        clearTimeout(timer);
        child.kill("SIGKILL");
        reject(new Error(`${name} ${why}\n${readFileSync(logFile, "utf8").slice(-4000)}`));
      };
      const isReady = (said: Readonly<Record<string, unknown>>): void => {
        settled = true;
        clearTimeout(timer);
        resolve(handle(said));
      };
      const timer = setTimeout(() => fail("was not ready in time"), READY_LIMIT_MS);
      child.once("error", (error) => fail(`could not be started: ${error.message}`));
      child.once("exit", (code, signal) => fail(`ended with ${code ?? signal}`));
      if (line === null) heard(child, "ready").then(isReady, () => {});
      let output = "";
      child.stdout?.on("data", (chunk: Buffer) => {
        if (settled) return;
        output += chunk.toString();
        const match = line?.exec(output) ?? null;
        if (match !== null) isReady(parseReady(match[0]));
      });
    });
  };

  return {
    startNode: (entry, options) => {
      const flags = ["--disable-warning=ExperimentalWarning", "--import", PROBE, ...profiling(options.name)];
      const args = [...flags, ...(options.nodeFlags ?? []), entry, ...(options.args ?? [])];
      return start(process.execPath, args, options, { ipc: true, line: options.readyLine ?? null });
    },
    startProgram: (program, readyLine, options) =>
      start(program, options.args ?? [], options, { ipc: false, line: readyLine }),
    endAll: async () => {
      await Promise.all([...running.values()].map((process) => process.end()));
    },
    killAll: () => {
      for (const child of running.keys()) child.kill("SIGKILL");
    },
  };
};

const heard = (child: ChildProcess, type: string): Promise<Readonly<Record<string, unknown>>> =>
  new Promise((resolve, reject) => {
    const listen = (message: Readonly<Record<string, unknown>>): void => {
      if (message.type !== type) return;
      child.off("message", listen);
      child.off("exit", over);
      resolve(message);
    };
    const over = (): void => reject(new Error(`the process ended before it said "${type}"`));
    child.on("message", listen);
    child.once("exit", over);
  });

/** What a program said in its ready line: fields when that is JSON. */
const parseReady = (line: string): Readonly<Record<string, unknown>> =>
  line.startsWith("{") ? (JSON.parse(line) as Readonly<Record<string, unknown>>) : { line };
