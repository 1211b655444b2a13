import { Worker } from "node:worker_threads";
import Database from "better-sqlite3";
import { TalariaError } from "../base/errors.ts";
import type { StoreObserver } from "./observer.ts";
import { type Answer, type Call, fromWire, type StoreRole, type ThreadData } from "./protocol.ts";

/** The async face of synchronous operations. */
export type Async<Ops> = {
  readonly [K in keyof Ops]: Ops[K] extends (...args: infer A) => infer R
    ? (...args: A) => Promise<Awaited<R>>
    : never;
};

export interface StoreThread<Ops> {
  readonly call: Async<Ops>;
  /** Answers what was asked before, then closes the connection. */
  close(): Promise<void>;
}

/**
 * Starts a thread that runs `createOps` of `module` and returns its operations as async functions. Arguments and results
 * are structured clones. A "write" thread runs each call inside a transaction that is durable when the call resolves.
 * Rejects when the store cannot be opened; calls after `close` reject with `store_unavailable`.
 */
export const startStoreThread = async <Ops extends object>(
  module: URL,
  role: StoreRole,
  options: unknown,
  observer?: StoreObserver,
): Promise<StoreThread<Ops>> => {
  keepAddonLoaded();
  const data: ThreadData = { module: module.href, role, options };
  const thread = new Worker(new URL("./thread.ts", import.meta.url), { workerData: data });
  const pending = new Map<number, { resolve: (value: unknown) => void; reject: (error: Error) => void }>();
  let lastId = 0;
  let gone: Error | null = null;

  const fail = (error: Error): void => {
    gone ??= error;
    for (const { reject } of pending.values()) reject(gone);
    pending.clear();
  };
  const exited = new Promise<void>((resolve) => thread.once("exit", () => resolve()));
  thread.on("error", (cause) =>
    fail(new TalariaError("store_unavailable", "the database thread stopped", { cause })),
  );
  thread.on("exit", () => fail(new TalariaError("store_unavailable", "the database is closed")));

  await new Promise<void>((resolve, reject) => {
    thread.once("message", () => resolve());
    thread.once("error", reject);
  });
  observer?.opened(() => pending.size);
  thread.on("message", ({ replies, times }: Answer) => {
    observer?.group(times);
    for (const reply of replies) {
      const call = pending.get(reply.id);
      pending.delete(reply.id);
      if (reply.ok) call?.resolve(reply.value);
      else call?.reject(fromWire(reply.error));
    }
  });

  const call = new Proxy({} as Async<Ops>, {
    get: (_target, op) =>
      typeof op !== "string" || op === "then"
        ? undefined
        : (...args: unknown[]) =>
            new Promise((resolve, reject) => {
              if (gone !== null) return reject(gone);
              const message: Call = { id: ++lastId, op, args };
              pending.set(message.id, { resolve, reject });
              thread.postMessage(message);
            }),
  });
  return {
    call,
    close: async () => {
      if (gone === null) thread.postMessage("close");
      await exited;
    },
  };
};

let isLoaded = false;

/**
 * A thread that ends unloads the native library where nobody else has it, and what is collected after that runs code that is not there
 * any more (better-sqlite3 #1476; seen twice as a segmentation fault of a test process). The main thread keeps it.
 */
const keepAddonLoaded = (): void => {
  if (!isLoaded) new Database(":memory:").close();
  isLoaded = true;
};
