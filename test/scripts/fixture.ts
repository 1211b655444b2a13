import { type ChildProcess, spawn } from "node:child_process";
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { connect, createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";

const ROOT = process.cwd();

/** The api in small: listens, says so, ends on SIGTERM and when its supervisor is gone. */
const API = `
import { createServer } from "node:http";
import { appendFileSync } from "node:fs";
const server = createServer((_request, response) => response.end(process.env.REDIS_URL));
if (process.env.FIXTURE_CONFIG_FAULT) {
  process.stderr.write("PORT = \\"x\\": expected a port\\n");
  process.exit(78);
}
server.listen(Number(process.env.PORT), "127.0.0.1", () => process.send?.({ type: "ready", url: "http://127.0.0.1:" + server.address().port }));
process.on("disconnect", () => process.exit(0));
process.on("SIGTERM", () => { appendFileSync(process.env.TALARIA_HOME + "/order", "api\\n"); process.exit(0); });
`;

/** The worker in small: takes a moment to drain. It speaks last, so that whoever heard it may stop it. */
const WORKER = `
import { appendFileSync } from "node:fs";
const timer = setInterval(() => undefined, 1000);
process.on("disconnect", () => process.exit(0));
process.on("SIGTERM", () => setTimeout(() => { appendFileSync(process.env.TALARIA_HOME + "/order", "worker\\n"); process.exit(0); }, 300));
process.stdout.write(JSON.stringify({ level: 40, msg: "careful", run: "run_1" }) + "\\n");
`;

/** A copy of the project whose api and worker are stand-ins: the start script itself is what is tested. */
export const createFixture = () => {
  const folder = mkdtempSync(join(tmpdir(), "talaria-start-"));
  for (const part of ["scripts", "common", "package.json", "package-lock.json"])
    cpSync(join(ROOT, part), join(folder, part), { recursive: true });
  symlinkSync(join(ROOT, "node_modules"), join(folder, "node_modules"));
  for (const [name, text] of [
    ["api", API],
    ["workers", WORKER],
  ] as const) {
    mkdirSync(join(folder, name));
    writeFileSync(join(folder, name, "main.ts"), text);
  }
  const home = join(folder, "home");
  mkdirSync(home);
  const started: Started[] = [];
  return {
    folder,
    home,
    start: (env: Record<string, string> = {}): Started => {
      const one = startIn(folder, home, env);
      started.push(one);
      return one;
    },
    state: (): StartState =>
      JSON.parse(readFileSync(join(home, "talaria", "start.json"), "utf8")) as StartState,
    order: (): string => readFileSync(join(home, "order"), "utf8"),
    remove: async (): Promise<void> => {
      for (const one of started) await one.end();
      rmSync(folder, { recursive: true, force: true });
    },
  };
};
export type Fixture = ReturnType<typeof createFixture>;

interface StartState {
  readonly pid: number;
  readonly children: { readonly api: number; readonly worker: number; readonly redis: number };
}

export interface Started {
  readonly child: ChildProcess;
  output(): string;
  /** Resolves when the output matches; rejects when the process ends before. */
  until(pattern: RegExp): Promise<RegExpExecArray>;
  readonly exit: Promise<{ code: number | null; signal: NodeJS.Signals | null }>;
  end(): Promise<void>;
}

const startIn = (folder: string, home: string, env: Record<string, string>): Started => {
  const { REDIS_URL: _redis, TALARIA_TEST_REDIS_URL: _test, ...rest } = process.env;
  const child = spawn(process.execPath, ["scripts/start.mjs"], {
    cwd: folder,
    env: { ...rest, TALARIA_HOME: home, PORT: "0", ...env },
    stdio: ["ignore", "pipe", "pipe"],
  });
  let text = "";
  let ended = false;
  const changed = new Set<() => void>();
  const notify = (): void => {
    for (const listener of [...changed]) listener();
  };
  for (const stream of [child.stdout, child.stderr])
    stream?.setEncoding("utf8").on("data", (data: string) => {
      text += data;
      notify();
    });
  const exit = new Promise<{ code: number | null; signal: NodeJS.Signals | null }>((resolve) => {
    child.once("close", (code, signal) => {
      ended = true;
      notify();
      resolve({ code, signal });
    });
  });
  return {
    child,
    exit,
    output: () => text,
    until: (pattern) =>
      new Promise((resolve, reject) => {
        const look = (): void => {
          const match = pattern.exec(text);
          if (match === null && !ended) return;
          changed.delete(look);
          if (match === null) reject(new Error(`ended without ${pattern}:\n${text}`));
          else resolve(match);
        };
        changed.add(look);
        look();
      }),
    end: async () => {
      if (!ended) child.kill("SIGTERM");
      await exit;
    },
  };
};

export const listenOnFreePort = () =>
  new Promise<{ port: number; close: () => Promise<void> }>((resolve) => {
    const server = createServer();
    server.listen(0, "127.0.0.1", () => {
      const address = server.address();
      const port = typeof address === "object" && address !== null ? address.port : 0;
      resolve({ port, close: () => new Promise((done) => server.close(() => done())) });
    });
  });

export const canConnect = (port: number): Promise<boolean> =>
  new Promise((resolve) => {
    const socket = connect(port, "127.0.0.1");
    socket.once("connect", () => {
      socket.destroy();
      resolve(true);
    });
    socket.once("error", () => resolve(false));
  });
