import { messageOf } from "../../base/errors.ts";
import { codeOf, pause, RefusedError } from "../refusal.ts";
import { identityOf } from "../shape.ts";
import { isCurrent, openReadFile, type ReadFile } from "./file.ts";
import type { Answer, Trouble } from "./port.ts";

/** Held connections at most; a file beyond that is opened again when its turn comes. */
const MAX_OPEN = 16;
/** Retries of what may pass by itself, and the pause before each (a.10). */
const RETRIES = 3;
const PAUSE_MS = 50;

/** How long an operation may wait for a lock: a reader of a page has time, a poll answers the old numbers instead. */
export type Patience = "read" | "poll";
const WAIT_MS: Readonly<Record<Patience, number>> = { read: 5_000, poll: 100 };

export interface ReadFiles {
  /**
   * Runs `work` in one snapshot of the file at `path`, on a held connection, and ends the snapshot. Opens the file again
   * when another one lies there. Answers with a named state for whatever the file does.
   */
  use<T>(path: string, patience: Patience, work: (file: ReadFile) => T): Answer<T>;
  close(): void;
}

export const createReadFiles = (): ReadFiles => {
  const held = new Map<string, { readonly file: ReadFile; waitMs: number }>();
  const drop = (path: string): void => {
    held.get(path)?.file.db.close();
    held.delete(path);
  };
  const connect = (path: string, waitMs: number): ReadFile => {
    const known = held.get(path);
    if (known !== undefined && isCurrent(known.file, path)) {
      held.delete(path);
      held.set(path, known);
      if (known.waitMs !== waitMs) known.file.db.pragma(`busy_timeout = ${waitMs}`);
      known.waitMs = waitMs;
      return known.file;
    }
    drop(path);
    const identity = identityOf(path);
    if (identity === null) throw new MissingError();
    const file = openReadFile(path, identity, waitMs);
    held.set(path, { file, waitMs });
    const [oldest] = held.keys();
    if (held.size > MAX_OPEN && oldest !== undefined) drop(oldest);
    return file;
  };
  return {
    use(path, patience, work) {
      const started = performance.now();
      const waitMs = WAIT_MS[patience];
      for (let attempt = 0; ; attempt++)
        try {
          const file = connect(path, waitMs);
          return {
            state: "ok",
            value: file.db.transaction(() => {
              file.refresh();
              return work(file);
            })(),
          };
        } catch (error) {
          const trouble = troubleOf(error);
          if (trouble === null) throw error;
          // The connection may be part of it; a busy file's is fine.
          if (trouble !== "locked") drop(path);
          const mayPass = trouble === "locked" || trouble === "unavailable";
          const isOver = performance.now() - started + PAUSE_MS > waitMs;
          if (!mayPass || attempt >= RETRIES || isOver) return { state: trouble, message: messageOf(error) };
          pause(PAUSE_MS);
        }
    },
    close() {
      for (const path of [...held.keys()]) drop(path);
    },
  };
};

class MissingError extends Error {
  constructor() {
    super("there is no file");
    this.name = "MissingError";
  }
}

/** Null for what is no fault of the file. */
const troubleOf = (error: unknown): Trouble | null => {
  if (error instanceof MissingError) return "missing";
  if (error instanceof RefusedError && error.reason === "not_a_state_db") return "not_a_state_db";
  const code = codeOf(error);
  if (/^SQLITE_(BUSY|LOCKED)/.test(code)) return "locked";
  if (code === "SQLITE_NOTADB") return "not_a_state_db";
  if (/^SQLITE_CORRUPT/.test(code)) return "corrupt";
  return /^(SQLITE_|E[A-Z]+$)/.test(code) ? "unavailable" : null;
};
