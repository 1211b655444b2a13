import { watch } from "node:fs";
import { basename, dirname } from "node:path";
import type { Async } from "../../sqlite/client.ts";
import type { SessionChange, StateDbReadOps, Trouble } from "./port.ts";
import { fileOf } from "./versions.ts";

export interface WatchOptions {
  readonly path: string;
  readonly call: Pick<Async<StateDbReadOps>, "dataVersion" | "changesSince">;
  /** Time between two looks; file events only make one come sooner. */
  readonly everyMs?: number;
  /** Where an earlier watcher stopped; without it only what is added from now on is told. */
  readonly watermark?: number;
  /**
   * Somebody committed. `changes` holds what was added, by session; it is empty when rows or sessions only changed or
   * went (rewind, title, heartbeat, delete). Its watermark is passed once the promise resolves: a rejection is handed to
   * `onError`, and the same rows come again.
   */
  readonly onChanges: (news: WatchNews) => unknown;
  /** Another file lies at the path, or its ids start lower than what was seen: bindings are void (c.4). */
  readonly onReplaced: (file: { readonly generation: string; readonly watermark: number }) => unknown;
  /** The file became readable, or not, and why; told at the start too. */
  readonly onState?: (state: "ok" | Trouble) => unknown;
  /** What `call` or one of these functions threw; the watcher goes on. */
  readonly onError?: (error: unknown) => void;
  readonly signal: AbortSignal;
}

export interface WatchNews {
  readonly changes: readonly SessionChange[];
  readonly watermark: number;
  readonly generation: string;
}

/** Rows that one look takes at once. */
const BATCH = 500;
/** Time between two looks at most often, however many events the file makes. */
const SHORTEST_MS = 50;
/** A file that cannot be read is looked at less often: opening it costs more than a poll. */
const PATIENCE = 2;

/**
 * Watches one state.db until `signal` aborts; resolves then. A look asks for the data version, which costs the same at
 * every size, and reads rows above the watermark only when it moved.
 */
export const watchStateDb = async (options: WatchOptions): Promise<void> => {
  const { path, signal, everyMs = 250, onError = () => undefined } = options;
  const look = createLook(options);
  const bell = createBell(path, signal);
  try {
    while (!signal.aborted) {
      let isReadable = false;
      try {
        isReadable = await look();
      } catch (error) {
        onError(error);
      }
      await bell.wait(isReadable ? everyMs : everyMs * PATIENCE, Math.min(SHORTEST_MS, everyMs));
    }
  } finally {
    bell.close();
  }
};

/** One look at the file; resolves with whether it could be read. */
const createLook = ({
  path,
  call,
  watermark: from,
  onChanges,
  onReplaced,
  onState,
  signal,
}: WatchOptions): (() => Promise<boolean>) => {
  let state: "ok" | Trouble | null = null;
  let seen: { version: string; identity: string; watermark: number } | null = null;

  const tell = async (next: "ok" | Trouble): Promise<boolean> => {
    if (next !== state) await onState?.(next);
    state = next;
    return next === "ok";
  };

  return async () => {
    const version = await call.dataVersion(path);
    if (version.state !== "ok") return tell(version.state);
    const { generation } = version.value;
    const identity = fileOf(generation);
    if (seen?.version === version.value.version) return tell("ok");

    let watermark: number | null = seen?.watermark ?? from ?? null;
    for (let more = true; more && !signal.aborted; ) {
      const read = await call.changesSince(path, watermark, BATCH);
      if (read.state !== "ok") return tell(read.state);
      const { changes, replaced } = read.value;
      if (replaced || (seen !== null && seen.identity !== identity)) {
        const today = replaced ? read : await call.changesSince(path, null, BATCH);
        if (today.state !== "ok") return tell(today.state);
        watermark = today.value.watermark;
        await onReplaced({ generation, watermark });
        more = false;
      } else {
        // The first look of a watcher that begins today has nothing to tell.
        if (watermark !== null) await onChanges({ changes, watermark: read.value.watermark, generation });
        watermark = read.value.watermark;
        more = read.value.more;
      }
      seen = { version: more ? "" : version.value.version, identity, watermark };
    }
    return tell("ok");
  };
};

interface Bell {
  /** Resolves after `ms`, at the abort, or `soonMs` after something happened in the file's folder. */
  wait(ms: number, soonMs: number): Promise<void>;
  close(): void;
}

/**
 * Events of the file and of its journals, as a hint. The folder is watched: opening the file itself would endanger
 * SQLite's locks, and its journals come and go. A folder that cannot be watched costs nothing but the hint.
 */
const createBell = (path: string, signal: AbortSignal): Bell => {
  const name = basename(path);
  let rang = false;
  let wake: (() => void) | null = null;
  const ring = (): void => {
    rang = true;
    wake?.();
  };
  let watcher: ReturnType<typeof watch> | null = null;
  const listen = (): void => {
    try {
      watcher ??= watch(dirname(path), { persistent: false }, (_event, file) => {
        if (file === null || file.startsWith(name)) ring();
      }).on("error", () => {
        watcher?.close();
        watcher = null;
      });
    } catch {
      watcher = null;
    }
  };
  const pause = (ms: number, isEarly: () => boolean): Promise<void> =>
    new Promise((resolve) => {
      const done = (): void => {
        clearTimeout(timer);
        signal.removeEventListener("abort", done);
        wake = null;
        resolve();
      };
      const timer = setTimeout(done, ms);
      signal.addEventListener("abort", done, { once: true });
      wake = () => {
        if (isEarly()) done();
      };
      if (signal.aborted || isEarly()) done();
    });
  return {
    async wait(ms, soonMs) {
      listen();
      const started = performance.now();
      await pause(soonMs, () => false);
      const rest = ms - (performance.now() - started);
      if (!rang && rest > 0) await pause(rest, () => rang);
      rang = false;
    },
    close: () => watcher?.close(),
  };
};
