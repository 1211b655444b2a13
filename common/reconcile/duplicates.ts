import type { Facts, Naming } from "./facts.ts";
import { differ } from "./identity.ts";
import { askedUnder, storedUnder } from "./wildcards.ts";

/** Seconds within which an equal prompt directly after a prompt is the same prompt written twice (R14). */
const ECHO_SECONDS = 0.25;

/** The rows that remain when copies (R13) and echoed prompts (R14) are dropped; the first of equal rows stays. */
export const withoutDuplicates = (rows: readonly Facts[], nameOf: Naming): readonly Facts[] => {
  const isCopy = createCopyTest(rows, nameOf);
  const kept: Facts[] = [];
  for (const row of rows) {
    if (isCopy(row)) continue;
    const before = kept.at(-1);
    if (before === undefined || !isEcho(before, row)) kept.push(row);
  }
  return kept;
};

/** Answers whether a row was seen before: by logical id, else by every field that makes up a message. */
const createCopyTest = (rows: readonly Facts[], nameOf: Naming): ((row: Facts) => boolean) => {
  const used = [(row: Facts) => row.platformId, (row: Facts) => row.genericId].filter((idOf) =>
    rows.some((row) => idOf(row) !== null),
  );
  const uids = new Set<string>();
  const seen = new Set<string>();
  return (row) => {
    if (row.uid !== null) {
      if (uids.has(row.uid)) return true;
      uids.add(row.uid);
      return false;
    }
    const { role, time, toolCallId, calls, toolName, raw } = row;
    const tool = toolCallId === null && toolName === null ? "" : JSON.stringify([toolCallId, toolName]);
    const key = `${role} ${time} ${nameOf(raw)} ${calls === "" ? "" : nameOf(calls)} ${tool}`;
    const ids = used.map((idOf) => idOf(row));
    if (askedUnder(key, ids).some((form) => seen.has(form))) return true;
    for (const form of storedUnder(key, ids)) seen.add(form);
    return false;
  };
};

const isEcho = (before: Facts, row: Facts): boolean =>
  row.role === "user" &&
  before.role === "user" &&
  row.uid === null &&
  row.platformId === null &&
  row.text === before.text &&
  row.calls === before.calls &&
  !differ(row.genericId, before.genericId) &&
  row.time !== null &&
  before.time !== null &&
  Math.abs(row.time - before.time) <= ECHO_SECONDS &&
  (!row.hasImage || row.raw === before.raw);
