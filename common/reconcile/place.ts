import type { Facts } from "./facts.ts";
import type { Pairs } from "./pairs.ts";
import type { Stopped } from "./stopped.ts";

/** New store rows (positions) in front of each local position; the last list stands behind all local rows. */
export type Gaps = readonly (readonly number[])[];

/**
 * Walks the store by id and gives each new row its place between the local rows (c.6): after the high-water position and
 * before the next local row that pairs with a later store row (R15, R19), inside that gap by time (R16), never inside a
 * call and its results (R17), nor inside a turn that was stopped. `isNew` is asked for unpaired rows, with whether
 * nothing of the transcript precedes the row yet.
 */
export const placeNewRows = (
  pairs: Pairs,
  stopped: Stopped,
  isNew: (store: number, leads: boolean) => boolean,
): Gaps => {
  const { locals, stores } = pairs;
  const gaps: number[][] = Array.from({ length: locals.length + 1 }, () => []);
  const ceilings = nextPaired(pairs);
  let floor = 0;
  let leads = true;
  let inBlock = false;
  stores.forEach((row, store) => {
    inBlock = row.role === "tool" ? inBlock : row.calls !== "";
    const paired = pairs.localOf(store);
    if (paired === null && !isNew(store, leads)) {
      if (row.role !== "tool") inBlock = false;
      return;
    }
    leads = false;
    if (paired !== null) {
      floor = Math.max(floor, paired + 1);
      return;
    }
    const ceiling = ceilings[floor] ?? locals.length;
    const gap = { floor, ceiling, last: stores[gaps[floor]?.at(-1) ?? -1] };
    floor =
      row.role === "tool" ? placeResult(row, gap, locals, inBlock) : placeOther(row, gap, locals, stopped);
    gaps[floor]?.push(store);
  });
  return gaps;
};

interface Gap {
  /** First local position a row may stand in front of. */
  readonly floor: number;
  /** Last one: it pairs with a later store row, or it is the end. */
  readonly ceiling: number;
  /** The new row placed last in front of `floor`, if any. */
  readonly last: Facts | undefined;
}

/** For each local position the first one at or after it that is paired; the length where there is none. */
const nextPaired = (pairs: Pairs): Int32Array => {
  const { length } = pairs.locals;
  const next = new Int32Array(length + 1).fill(length);
  for (let local = length - 1; local >= 0; local--)
    next[local] = pairs.storeOf(local) === null ? (next[local + 1] ?? length) : local;
  return next;
};

/** A result stays with its call: behind the rows of that block that precede it, never past the block (R17, P7). */
const placeResult = (
  row: Facts,
  { floor, ceiling }: Gap,
  locals: readonly Facts[],
  inBlock: boolean,
): number => {
  if (!inBlock) return byTime(row, floor, ceiling, locals);
  let place = floor;
  while (place < ceiling && precedesInBlock(locals[place], row)) place++;
  return place;
};

const precedesInBlock = (local: Facts | undefined, row: Facts): boolean =>
  local?.role === "tool" && (local.time === null || row.time === null || local.time <= row.time);

const placeOther = (
  row: Facts,
  { floor, ceiling, last }: Gap,
  locals: readonly Facts[],
  stopped: Stopped,
): number => {
  let place = byTime(row, floor, ceiling, locals);
  if (place > 0 && stopped.isInside(place) && stopped.isInside(place - 1) && stopped.behind(place) <= ceiling)
    place = stopped.behind(place);
  const before = place === floor && last !== undefined ? last : locals[place - 1];
  if (locals[place]?.role !== "tool" || before === undefined) return place;
  if (before.role !== "tool" && before.calls === "") return place;
  if (isCallOf(row, locals[place]) && !isCallOf(before, locals[place])) return place;
  while (locals[place]?.role === "tool") place++;
  return place;
};

const isCallOf = (call: Facts, result: Facts | undefined): boolean =>
  result !== undefined && result.toolCallId !== null && call.callIds.includes(result.toolCallId);

/** In front of the first row of the gap that is later; without a time at the end of the gap (R16). */
const byTime = (row: Facts, floor: number, ceiling: number, locals: readonly Facts[]): number => {
  if (row.time === null) return ceiling;
  for (let place = floor; place < ceiling; place++) {
    const local = locals[place];
    if (local === undefined || local.time === null) continue;
    if (local.time > row.time) return place;
    if (local.time === row.time && goesBefore(row, local, locals[place - 1])) return place;
  }
  return ceiling;
};

/** Order at equal time (R16); `before` is the local row in front of `local`. */
const goesBefore = (row: Facts, local: Facts, before: Facts | undefined): boolean => {
  const follows = before !== undefined && before.time === local.time ? before.role : null;
  if (row.role === "user" && local.role === "assistant") return follows !== "user";
  if (row.role === "user" && local.role === "user") return follows === "assistant" || follows === "tool";
  return isBareCall(row) && local.role === "assistant" && local.calls === "" && local.text !== "";
};

const isBareCall = (row: Facts): boolean => row.role === "assistant" && row.calls !== "" && row.text === "";
