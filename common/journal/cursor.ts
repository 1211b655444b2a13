import type { CursorCheck } from "./port.ts";

/** A session cursor `<seq>-<generation>`, or the start of the log ("0"). */
export type SessionPosition =
  | { readonly kind: "start" }
  | { readonly kind: "entry"; readonly seq: number; readonly generation: number };

/** Reads a session cursor; null when it is malformed (negative, over-long, of another kind). */
export const parseSessionCursor = (text: string): SessionPosition | null => {
  if (text === "0") return { kind: "start" };
  const match = text.length <= MAX_LENGTH ? /^([1-9]\d{0,14})-(\d{1,15})$/.exec(text) : null;
  if (match === null) return null;
  return { kind: "entry", seq: Number(match[1]), generation: Number(match[2]) };
};

/** A run cursor `<runId>:<runSeq>` or `<runId>:<runSeq>-<generation>`; `runSeq` 0 and "0" are the start of the run. */
export type RunPosition =
  | { readonly kind: "start" }
  /** `generation` null: only an entry of a first attempt may be meant. */
  | { readonly kind: "entry"; readonly runSeq: number; readonly generation: number | null };

/** Reads a cursor of the run `runId`; null when it is malformed or another run's. */
export const parseRunCursor = (text: string, runId: string): RunPosition | null => {
  if (text === "0") return { kind: "start" };
  if (text.length > MAX_LENGTH || !text.startsWith(`${runId}:`)) return null;
  const match = /^(0|[1-9]\d{0,14})(?:-(\d{1,15}))?$/.exec(text.slice(runId.length + 1));
  if (match === null) return null;
  const generation = match[2] === undefined ? null : Number(match[2]);
  if (match[1] === "0") return generation === null ? { kind: "start" } : null;
  return { kind: "entry", runSeq: Number(match[1]), generation };
};

/**
 * Which of several supplied cursors counts: the greatest one that names an existing entry; else one that has expired;
 * else an unknown one. null when none was supplied.
 */
export const greatestValid = (checks: readonly CursorCheck[]): CursorCheck | null => {
  let best: CursorCheck | null = null;
  for (const check of checks) {
    if (best === null || RANK[check.kind] > RANK[best.kind]) best = check;
    else if (check.kind === "after" && best.kind === "after" && check.seq > best.seq) best = check;
  }
  return best;
};

const RANK = { unknown: 0, expired: 1, after: 2 } as const;
/** A run id has at most 64 characters, a number 15. */
const MAX_LENGTH = 128;
