import { type ErrorCode, TalariaError } from "../base/errors.ts";

/** Messages between a store's client and its thread. */
export interface Call {
  readonly id: number;
  readonly op: string;
  readonly args: readonly unknown[];
}
export type Reply =
  | { readonly id: number; readonly ok: true; readonly value: unknown }
  | { readonly id: number; readonly ok: false; readonly error: WireError };
/** Calls that were done together: the answer of a thread. */
export interface Answer {
  readonly replies: readonly Reply[];
  readonly times: GroupTimes;
}
export interface GroupTimes {
  readonly calls: number;
  /** From the first call's begin to the commit. */
  readonly ms: number;
  /** Of that, waiting for the lock of another process; null where none was needed. */
  readonly lockWaitMs: number | null;
}
export interface WireError {
  readonly code: ErrorCode | null;
  readonly sqlite: string | null;
  readonly message: string;
  readonly details: unknown;
}
/**
 * "write": every call runs inside a transaction of the thread's. "read": none is needed. "own": the operations make their
 * own transactions, because the file has other owners whose rules they follow.
 */
export type StoreRole = "write" | "read" | "own";

export interface ThreadData {
  readonly module: string;
  readonly role: StoreRole;
  readonly options: unknown;
}

/** What a store's module exports as `createOps`: synchronous operations over one connection of a thread. */
export interface StoreOps {
  /** The connection; calls of a writing thread are grouped into transactions on it. */
  readonly db: { exec(sql: string): unknown; close(): unknown };
  readonly ops: Readonly<Record<string, (...args: never[]) => unknown>>;
}

const sqliteCode = (error: unknown): string | null => {
  const code = (error as { code?: unknown }).code;
  return typeof code === "string" && code.startsWith("SQLITE_") ? code : null;
};

export const toWire = (error: unknown): WireError => ({
  code: error instanceof TalariaError ? error.code : null,
  sqlite: sqliteCode(error),
  message: error instanceof Error ? error.message : String(error),
  details: error instanceof TalariaError ? error.details : undefined,
});

/** Turns what the thread threw into the error that callers handle; SQLite's own codes become ours. */
export const fromWire = (wire: WireError): Error => {
  if (wire.code !== null) return new TalariaError(wire.code, wire.message, { details: wire.details });
  if (wire.sqlite === null) return new Error(wire.message);
  const cause = new Error(`${wire.sqlite}: ${wire.message}`);
  if (wire.sqlite === "SQLITE_FULL") return new TalariaError("storage_full", "the disk is full", { cause });
  return new TalariaError("store_unavailable", "the database cannot be used right now", {
    cause,
    retryAfterS: 2,
  });
};
