import { createNaming, type Facts, readFacts } from "./facts.ts";
import { stableJson } from "./json.ts";
import type { Row } from "./row.ts";

/**
 * True if the ids of two rows prove that they are two messages (R3). A logical id decides alone; unequal row ids prove
 * nothing when content, calls and exact time are equal, because compaction inserts such copies.
 */
export const isDistinct = (a: Facts, b: Facts): boolean => {
  if (a.uid !== null && b.uid !== null) return a.uid !== b.uid;
  if (differ(a.platformId, b.platformId)) return true;
  return differ(a.rowId, b.rowId) && !(a.time === b.time && a.calls === b.calls && sharesKey(a, b));
};

/**
 * True if nothing but content speaks against pairing: not distinct, tool ids and names do not contradict, and a row
 * with a picture pairs only at exactly its time (R3, R5, R11). Content itself is compared through `keys`.
 */
export const mayPair = (a: Facts, b: Facts): boolean =>
  a.role === b.role &&
  !isDistinct(a, b) &&
  !differ(a.toolCallId, b.toolCallId) &&
  !differ(a.toolName, b.toolName) &&
  ((!a.hasImage && !b.hasImage) || a.time === b.time);

/** True if both rows are one message by content: R5 with everything in `mayPair`. */
export const isCompatible = (a: Facts, b: Facts): boolean => sharesKey(a, b) && mayPair(a, b);

/** True if both sides name a value and the values differ; a missing one contradicts nothing. */
export const differ = (a: string | null, b: string | null): boolean => a !== null && b !== null && a !== b;

/**
 * Names under which a row removed by undo, edit or clear is remembered in `Cut.removed` (c.7): its logical id, if any,
 * and its exact identity (role, text, exact time, tool id, calls, tool name).
 */
export const identitiesOf = (row: Row): readonly string[] =>
  identitiesOfFacts(readFacts(row, 0, "store", createNaming()));

export const identitiesOfFacts = (facts: Facts): readonly string[] => {
  const { role, text, time, toolCallId, calls, toolName } = facts;
  const exact = `exact:${stableJson([role, text, time, toolCallId, calls, toolName])}`;
  return facts.uid === null ? [exact] : [`uid:${facts.uid}`, exact];
};

const sharesKey = (a: Facts, b: Facts): boolean => a.keys.some((key) => b.keys.includes(key));
