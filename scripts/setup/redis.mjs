import { spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { mkdirSync, readFileSync, realpathSync, renameSync, rmSync, statSync, writeFileSync } from "node:fs";
import { connect, createServer } from "node:net";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { SetupError, say } from "./steps.mjs";

const LOAD_LIMIT_MS = 300_000;

/** Where the private server of a home keeps everything. */
export const redisDirOf = (stateDir) => join(stateDir, "redis");

/** What the last start wrote about its private server: `{pid, port, password}`; null without one. */
export const readPrivateRedis = (dir) => {
  try {
    const state = JSON.parse(readFileSync(join(dir, "server.json"), "utf8"));
    return Number.isInteger(state.port) && typeof state.password === "string" ? state : null;
  } catch {
    return null;
  }
};

export const redisUrlOf = ({ port, password }) => `redis://:${password}@127.0.0.1:${port}`;

/**
 * Prepares the private server of a folder: loopback, password, append-only file, never evicts. Port and password stay the
 * same from start to start where the port is free, so that workers started by hand keep their address. One that a killed
 * start left behind is asked to save and end first. Returns its URL and a function that starts it (again).
 */
export const preparePrivateRedis = async ({ program, dir }) => {
  mkdirSync(dir, { recursive: true, mode: 0o700 });
  const last = readPrivateRedis(dir);
  if (last !== null) await endLeftover(last, dir);
  const password = last?.password ?? randomBytes(24).toString("hex");
  const port = last !== null && (await isFree(last.port)) ? last.port : await freePort();
  const config = join(dir, "redis.conf");
  writeFileSync(config, configText({ dir, port, password }), { mode: 0o600 });
  rotate(join(dir, "redis.log"));

  /** Spawns it in its own process group, so that Ctrl-C reaches only the supervisor. */
  const launch = () => {
    const child = spawn(program, [config], { detached: true, stdio: "ignore" });
    const state = JSON.stringify({ pid: child.pid, port, password });
    writeFileSync(join(dir, "server.json"), state, { mode: 0o600 });
    return child;
  };
  return { url: redisUrlOf({ port, password }), launch, log: join(dir, "redis.log") };
};

const configText = ({ dir, port, password }) =>
  [
    "bind 127.0.0.1",
    "protected-mode yes",
    `port ${port}`,
    `requirepass ${password}`,
    `dir ${JSON.stringify(dir)}`,
    `logfile ${JSON.stringify(join(dir, "redis.log"))}`,
    "daemonize no",
    'save ""',
    "appendonly yes",
    "appendfsync everysec",
    "maxmemory-policy noeviction",
    "",
  ].join("\n");

/** Ends the server a killed start left running in this folder; a stranger on the port is left alone. */
const endLeftover = async (last, dir) => {
  const answer = await redisCommand(redisUrlOf(last), ["CONFIG", "GET", "dir"]).catch(() => null);
  if (!Array.isArray(answer) || answer[1] !== realpathSync(dir)) return;
  say("Taking over the Redis of an earlier start …");
  await redisCommand(redisUrlOf(last), ["SHUTDOWN"]).catch(() => null);
  for (let waited = 0; waited < 10_000 && !(await isFree(last.port)); waited += 50) await sleep(50);
};

/** Resolves once the server answers and has loaded its data; rejects when its process ended before. */
export const waitForRedis = async (url, { limitMs = LOAD_LIMIT_MS, hasEnded = () => false } = {}) => {
  const end = Date.now() + limitMs;
  let told = false;
  for (;;) {
    const problem = await redisCommand(url, ["PING"]).then(
      (answer) => (answer === "PONG" ? null : String(answer)),
      (error) => error.message,
    );
    if (problem === null) return;
    if (/^(WRONGPASS|NOAUTH|NOPERM)/.test(problem))
      throw new SetupError(`Redis refused the password: ${problem}`);
    if (hasEnded()) throw new SetupError(`Redis ended while starting (${problem})`);
    if (Date.now() > end) throw new SetupError(`Redis does not answer: ${problem}`);
    if (problem.startsWith("LOADING") && !told) {
      told = true;
      say("Redis is loading its data …");
    }
    await sleep(30);
  }
};

/** Sends one command over a connection of its own (no package is needed). Rejects with Redis' error text. */
export const redisCommand = (url, args, timeoutMs = 2000) =>
  new Promise((resolve, reject) => {
    const target = url.startsWith("/") ? null : new URL(url);
    if (target?.protocol === "rediss:")
      return reject(new Error("TLS is checked by the processes themselves"));
    const password = decodeURIComponent(target?.password ?? "");
    const user = decodeURIComponent(target?.username ?? "");
    const commands = password === "" ? [args] : [["AUTH", ...(user === "" ? [] : [user]), password], args];
    const socket = connect(
      target === null
        ? { path: url.split("?")[0] }
        : { host: hostOf(target), port: Number(target.port || 6379) },
    );
    let received = "";
    const fail = (error) => {
      socket.destroy();
      reject(error);
    };
    socket.setTimeout(timeoutMs, () => fail(new Error("no answer")));
    socket.once("error", fail);
    socket.once("close", () => fail(new Error("connection closed")));
    socket.setEncoding("latin1");
    socket.write(commands.map(encode).join(""));
    socket.on("data", (data) => {
      received += data;
      let rest = { at: 0 };
      let value;
      for (let n = 0; n < commands.length; n++) {
        [value, rest] = decode(received, rest.at);
        if (rest === null) return;
        if (value instanceof Error) return fail(value);
      }
      socket.destroy();
      resolve(value);
    });
  });

const hostOf = (url) => url.hostname.replace(/^\[|\]$/g, "") || "127.0.0.1";

const encode = (args) =>
  `*${args.length}\r\n${args.map((arg) => `$${Buffer.byteLength(arg)}\r\n${arg}\r\n`).join("")}`;

/** One RESP2 reply at `at`: [value, {at: end}], or [undefined, null] while it is incomplete. */
const decode = (text, at) => {
  const open = [undefined, null];
  const line = text.indexOf("\r\n", at);
  if (line < 0) return open;
  const kind = text[at];
  const head = text.slice(at + 1, line);
  if (kind === "+") return [head, { at: line + 2 }];
  if (kind === "-") return [new Error(head), { at: line + 2 }];
  if (kind === ":") return [Number(head), { at: line + 2 }];
  if (kind === "$") {
    if (head === "-1") return [null, { at: line + 2 }];
    const end = line + 2 + Number(head);
    return text.length < end + 2 ? open : [text.slice(line + 2, end), { at: end + 2 }];
  }
  if (kind !== "*") return [new Error("not a Redis server"), { at: text.length }];
  const items = [];
  let next = line + 2;
  for (let n = 0; n < Number(head); n++) {
    const [item, rest] = decode(text, next);
    if (rest === null) return open;
    items.push(item);
    next = rest.at;
  }
  return [items, { at: next }];
};

/** True when nothing listens on the loopback port. */
export const isFree = (port, host = "127.0.0.1") =>
  new Promise((resolve) => {
    const server = createServer();
    server.once("error", (error) => resolve(error.code !== "EADDRINUSE" && error.code !== "EACCES"));
    server.listen({ port, host, exclusive: true }, () => server.close(() => resolve(true)));
  });

const freePort = () =>
  new Promise((resolve, reject) => {
    const server = createServer();
    server.once("error", reject);
    server.listen(0, "127.0.0.1", () => {
      const { port } = server.address();
      server.close(() => resolve(port));
    });
  });

/** Keeps one earlier log. */
export const rotate = (file, largerThan = 0) => {
  try {
    if (statSync(file).size <= largerThan) return;
    rmSync(`${file}.1`, { force: true });
    renameSync(file, `${file}.1`);
  } catch {
    // No log yet.
  }
};
