import { type ChildProcess, spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { mkdtempSync, rmSync } from "node:fs";
import { createServer, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";

export interface TestRedis {
  readonly url: string;
  readonly port: number;
  readonly pid: number;
  /** Working directory; give it to the next `startRedis` to restart on the same data. */
  readonly dir: string;
  /** Stops it in an orderly way (SIGTERM); removes `dir` unless it was given. */
  stop(): Promise<void>;
  /** SIGKILL; `dir` is kept until the process of the tests ends. Resolves when the process is gone. */
  kill(): Promise<void>;
}

export interface TestRedisOptions {
  readonly dir?: string;
  readonly port?: number;
  /** Append-only file with `everysec`, as in production. */
  readonly appendonly?: boolean;
  /** More `--name value` pairs of redis-server. */
  readonly args?: readonly string[];
}

/** A private redis-server on loopback, ready when this resolves. What a test leaves running ends with its file. */
export const startRedis = async (options: TestRedisOptions = {}): Promise<TestRedis> => {
  const dir = options.dir ?? ownedDir();
  for (let tries = 0; ; tries++) {
    const port = options.port ?? (await freePort());
    try {
      const child = await launch(dir, port, options);
      return handle(child, dir, port, options.dir === undefined);
    } catch (error) {
      // Someone took the free port between asking for it and using it.
      if (options.port !== undefined || tries >= 5) throw error;
    }
  }
};

/** TALARIA_TEST_REDIS_URL, or a private server of this test file, started with the first call. */
export const testRedisUrl = async (): Promise<string> => {
  const given = process.env.TALARIA_TEST_REDIS_URL;
  if (given !== undefined && given !== "") return given;
  shared ??= startRedis();
  return (await shared).url;
};

/**
 * Has `close` called before the servers of this test file are stopped: jest runs the
 * `afterAll` of this module before those of the test, which would then close what has lost its Redis. A second call must do nothing.
 */
export const closeBeforeRedis = (close: () => Promise<void>): void => {
  users.push(close);
};

/** A key prefix that no other test has. */
export const freshPrefix = (): string => `t${randomBytes(8).toString("hex")}`;

let shared: Promise<TestRedis> | undefined;
const running = new Set<ChildProcess>();
const dirs = new Set<string>();
const users: (() => Promise<void>)[] = [];

const ownedDir = (): string => {
  const dir = mkdtempSync(join(tmpdir(), "talaria-redis-"));
  dirs.add(dir);
  return dir;
};

const freePort = (): Promise<number> =>
  new Promise((resolve, reject) => {
    const server = createServer();
    server.once("error", reject);
    server.listen(0, "127.0.0.1", () => {
      const address = server.address();
      server.close(() =>
        address !== null && typeof address === "object"
          ? resolve(address.port)
          : reject(new Error("no free port")),
      );
    });
  });

const launch = (dir: string, port: number, options: TestRedisOptions): Promise<ChildProcess> =>
  new Promise((resolve, reject) => {
    const child = spawn(
      process.env.TALARIA_TEST_REDIS_SERVER ?? "redis-server",
      [
        ...["--port", String(port), "--bind", "127.0.0.1", "--dir", dir, "--save", ""],
        ...["--appendonly", options.appendonly === true ? "yes" : "no", "--maxmemory-policy", "noeviction"],
        ...(options.args ?? []),
      ],
      { stdio: ["ignore", "pipe", "pipe"] },
    );
    running.add(child);
    let output = "";
    const listen = (chunk: Buffer): void => {
      output = (output + chunk.toString()).slice(-4000);
      if (!/ready to accept connections/i.test(output)) return;
      // The tests may end while it runs; `endAll` and the exit hook stop it then.
      child.unref();
      for (const pipe of [child.stdout, child.stderr]) (pipe as Socket | null)?.unref();
      resolve(child);
    };
    child.stdout?.on("data", listen);
    child.stderr?.on("data", listen);
    child.once("error", reject);
    child.once("exit", (code) => {
      running.delete(child);
      reject(new Error(`redis-server ended with ${code} before it was ready:\n${output}`));
    });
  });

const handle = (child: ChildProcess, dir: string, port: number, owned: boolean): TestRedis => ({
  url: `redis://127.0.0.1:${port}`,
  port,
  pid: child.pid ?? 0,
  dir,
  stop: async () => {
    await end(child, "SIGTERM");
    if (owned) forget(dir);
  },
  kill: () => end(child, "SIGKILL"),
});

const end = (child: ChildProcess, signal: NodeJS.Signals): Promise<void> =>
  new Promise((resolve) => {
    if (child.exitCode !== null || child.signalCode !== null) return resolve();
    // The child is unreferenced: something has to keep the process alive while it ends.
    const alive = setInterval(() => {}, 1000);
    child.once("exit", () => {
      clearInterval(alive);
      resolve();
    });
    child.kill(signal);
  });

const forget = (dir: string): void => {
  dirs.delete(dir);
  rmSync(dir, { recursive: true, force: true });
};

const endAll = async (): Promise<void> => {
  try {
    for (const close of users.reverse()) await close();
  } finally {
    await endServers();
  }
};

const endServers = async (): Promise<void> => {
  await Promise.all([...running].map((child) => end(child, "SIGKILL")));
  for (const dir of dirs) forget(dir);
};

// Under jest the file's own end is the moment; anywhere else the end of the process is.
(globalThis as { afterAll?: (work: () => Promise<void>) => void }).afterAll?.(endAll);
process.once("exit", () => {
  for (const child of running) child.kill("SIGKILL");
  for (const dir of dirs) rmSync(dir, { recursive: true, force: true });
});
