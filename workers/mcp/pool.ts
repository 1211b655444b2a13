import { createHmac, randomBytes } from "node:crypto";
import { stat } from "node:fs/promises";
import { beforeAbort } from "../../common/base/bounded-wait.ts";
import type { McpConnection, ServerStart } from "./connection.ts";

/** A server for a run; it stays open while somebody holds it. */
export interface Lease {
  readonly connection: McpConnection;
  /** Twice is harmless. */
  release(): void;
}

/**
 * The tool servers of this worker. One belongs to (profile's folder, name, everything it is started from): another profile's
 * server of the same name is another one, and so is the same one after its configuration changed (P-7, P-22).
 */
export interface McpPool {
  /** Waits until the server is ready, however many runs ask for it. Rejects with an `Error` whose message is the reason. */
  lease(home: string, start: ServerStart, signal: AbortSignal): Promise<Lease>;
  /** These are all the servers the profile has now; others of it end when no run uses them. */
  keepOnly(home: string, names: readonly string[]): void;
  /** How many are open, for tests and logs. */
  readonly size: number;
  /** Ends all of them; later leases are refused. */
  close(): Promise<void>;
}

export interface PoolOptions {
  /** How long an idle server stays. */
  readonly idleMs: number;
  /** How often idle servers and their profiles' folders are looked at. */
  readonly lookEveryMs: number;
  readonly maxServers: number;
}

const DEFAULTS: PoolOptions = { idleMs: 300_000, lookEveryMs: 10_000, maxServers: 64 };

interface Entry {
  readonly key: string;
  readonly home: string;
  /** Which folder `home` was when it started: a profile that was deleted and made again is another one. */
  readonly folder: string;
  readonly name: string;
  readonly connecting: Promise<McpConnection>;
  readonly stop: AbortController;
  connection: McpConnection | null;
  users: number;
  idleSinceMs: number;
}

export const createMcpPool = (options: Partial<PoolOptions> = {}): McpPool => {
  const { idleMs, lookEveryMs, maxServers } = { ...DEFAULTS, ...options };
  /** Those that the next run may get. */
  const offered = new Map<string, Entry>();
  /** These, and those that only their present users know. */
  const open = new Set<Entry>();
  const ending = new Set<Promise<void>>();
  // Nothing that a configuration says is kept as a key, and nobody can try values against it (P-23, P-25).
  const salt = randomBytes(32);
  let closed = false;
  let looking = false;

  const withdraw = (entry: Entry): void => {
    if (offered.get(entry.key) === entry) offered.delete(entry.key);
  };
  const end = (entry: Entry): void => {
    withdraw(entry);
    open.delete(entry);
    entry.stop.abort(new Error("not needed any more"));
    const work = entry.connecting
      .then((connection) => connection.close())
      .catch(() => undefined)
      .finally(() => ending.delete(work));
    ending.add(work);
  };
  /** Not offered any more; it ends with its last user. */
  const retire = (entry: Entry): void => {
    withdraw(entry);
    if (entry.users === 0) end(entry);
  };
  const release = (entry: Entry): void => {
    entry.users--;
    entry.idleSinceMs = performance.now();
    if (entry.users > 0 || !open.has(entry)) return;
    if (offered.get(entry.key) !== entry || entry.connection?.usable === false) end(entry);
  };

  const makeRoom = (): void => {
    if (open.size < maxServers) return;
    const idle = [...open].filter((entry) => entry.users === 0);
    const [longest] = idle.sort((a, b) => a.idleSinceMs - b.idleSinceMs);
    if (longest === undefined) throw new Error("this worker has too many servers open");
    end(longest);
  };
  const start = (key: string, home: string, folder: string, from: ServerStart): Entry => {
    makeRoom();
    const stop = new AbortController();
    // Loaded with the first server: most workers never need the protocol.
    const connecting = import("./connection.ts").then(({ connectServer }) =>
      connectServer(from, stop.signal),
    );
    const entry: Entry = {
      ...{ key, home, folder, name: from.server.name, connecting, stop },
      ...{ connection: null, users: 0, idleSinceMs: performance.now() },
    };
    offered.set(key, entry);
    open.add(entry);
    const forget = (): void => {
      withdraw(entry);
      open.delete(entry);
    };
    connecting.then((connection) => {
      entry.connection = connection;
      void connection.closed.then(forget);
    }, forget);
    return entry;
  };

  const look = async (): Promise<void> => {
    if (looking) return;
    looking = true;
    try {
      for (const entry of [...open]) {
        if (entry.users > 0) continue;
        const over = performance.now() - entry.idleSinceMs >= idleMs;
        if (over || (await folderOf(entry.home)) !== entry.folder) retire(entry);
      }
    } finally {
      looking = false;
    }
  };
  const timer = setInterval(() => void look(), lookEveryMs).unref();

  return {
    lease: async (home, from, signal) => {
      const folder = await folderOf(home);
      if (folder === null) throw new Error("the profile's folder is gone");
      signal.throwIfAborted();
      if (closed) throw new Error("this worker is stopping");
      const content = JSON.stringify([home, folder, from]);
      const key = createHmac("sha256", salt).update(content).digest("base64url");
      for (const entry of [...offered.values()])
        if (entry.home === home && entry.name === from.server.name && entry.key !== key) retire(entry);
      const found = offered.get(key);
      if (found?.connection?.usable === false) retire(found);
      const entry = offered.get(key) ?? start(key, home, folder, from);
      entry.users++;
      let held = true;
      const once = (): void => {
        if (held) release(entry);
        held = false;
      };
      try {
        return { connection: await beforeAbort(entry.connecting, signal), release: once };
      } catch (error) {
        once();
        throw error;
      }
    },
    keepOnly: (home, names) => {
      for (const entry of [...offered.values()])
        if (entry.home === home && !names.includes(entry.name)) retire(entry);
    },
    get size() {
      return open.size;
    },
    close: async () => {
      closed = true;
      clearInterval(timer);
      for (const entry of [...open]) end(entry);
      await Promise.all(ending);
    },
  };
};

/** The folder itself and not its name; null when there is none. */
const folderOf = async (home: string): Promise<string | null> => {
  const found = await stat(home, { bigint: true }).catch(() => null);
  return found === null ? null : `${found.dev}:${found.ino}`;
};
