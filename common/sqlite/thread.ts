import { parentPort, workerData } from "node:worker_threads";
import { BUSY_TIMEOUT_MS } from "./busy.ts";
import {
  type Answer,
  type Call,
  type Reply,
  type StoreOps,
  type StoreRole,
  type ThreadData,
  toWire,
} from "./protocol.ts";

/**
 * The thread that owns a store's connection. better-sqlite3 is synchronous, so waiting for a lock or for the disk would
 * freeze every stream of the process; here it only delays the calls behind it.
 *
 * A writing thread groups the calls that arrived while it was busy into one transaction, each in a savepoint of its own:
 * under load many callers share one fsync, and a caller is answered only after the commit that holds its change.
 */
const BUSY_RETRY_MS = 0.5;
const port = parentPort;
if (port === null) throw new Error("thread.ts runs in a worker thread only");
const { module, role, options } = workerData as ThreadData;
const { createOps } = (await import(module)) as {
  createOps: (role: StoreRole, options: unknown) => StoreOps;
};
const store = createOps(role, options);

let waiting: Call[] = [];
let scheduled = false;
/** Of the group under way. */
let lockWaitMs: number | null = null;

const runOne = (call: Call): Reply => {
  try {
    const op = store.ops[call.op] as ((...args: unknown[]) => unknown) | undefined;
    if (op === undefined) throw new Error(`the store has no operation ${call.op}`);
    return { id: call.id, ok: true, value: op(...call.args) };
  } catch (error) {
    return { id: call.id, ok: false, error: toWire(error) };
  }
};

/**
 * Another process holds the lock for about the time of one fsync. SQLite's own busy handler sleeps up to 100 ms between its
 * tries, which would make two writing processes wait for each other most of the time.
 */
const begin = (): void => {
  const begunMs = performance.now();
  const giveUpAt = begunMs + BUSY_TIMEOUT_MS;
  for (;;) {
    try {
      store.db.exec("BEGIN IMMEDIATE");
      lockWaitMs = performance.now() - begunMs;
      return;
    } catch (error) {
      if (!isBusy(error) || performance.now() > giveUpAt) throw error;
      Atomics.wait(pause, 0, 0, BUSY_RETRY_MS);
    }
  }
};
const pause = new Int32Array(new SharedArrayBuffer(4));

const isBusy = (error: unknown): boolean =>
  ((error as { code?: string }).code ?? "").startsWith("SQLITE_BUSY");

const runGroup = (calls: readonly Call[]): Reply[] => {
  try {
    begin();
  } catch (error) {
    return calls.map(({ id }) => ({ id, ok: false, error: toWire(error) }));
  }
  const replies: Reply[] = [];
  try {
    for (const call of calls) {
      store.db.exec("SAVEPOINT op");
      const reply = runOne(call);
      store.db.exec(reply.ok ? "RELEASE op" : "ROLLBACK TO op; RELEASE op");
      replies.push(reply);
    }
    store.db.exec("COMMIT");
    return replies;
  } catch (error) {
    // A full disk or an I/O error ends the whole transaction: nobody in it may be told that it succeeded.
    try {
      store.db.exec("ROLLBACK");
    } catch {
      // SQLite has rolled back by itself.
    }
    return calls.map(({ id }, index) =>
      replies[index]?.ok === false ? (replies[index] as Reply) : { id, ok: false, error: toWire(error) },
    );
  }
};

const drain = (): void => {
  scheduled = false;
  const calls = waiting;
  waiting = [];
  const begunMs = performance.now();
  lockWaitMs = role === "write" ? 0 : null;
  const replies = role === "write" ? runGroup(calls) : calls.map(runOne);
  const times = { calls: calls.length, ms: performance.now() - begunMs, lockWaitMs };
  port.postMessage({ replies, times } satisfies Answer);
};

port.on("message", (message: Call | "close") => {
  if (message === "close") {
    if (waiting.length > 0) drain();
    store.db.close();
    port.close();
    return;
  }
  waiting.push(message);
  if (!scheduled) {
    scheduled = true;
    setImmediate(drain);
  }
});
port.postMessage("ready");
