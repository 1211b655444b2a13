import { parseNested } from "../../reconcile/json.ts";
import { isRow } from "../../reconcile/row.ts";
import type { SessionKind } from "./port.ts";

/** What lineage needs of a session. */
export interface Kin {
  readonly id: string;
  readonly source: string;
  readonly parentId: string | null;
  readonly startedAt: number;
  readonly endedAt: number | null;
  readonly endReason: string | null;
  readonly marks: Marks;
}

/** Keys of `model_config` that say where a session comes from. */
export interface Marks {
  readonly branchedFrom: string | null;
  readonly delegateFrom: string | null;
  readonly resetFrom: string | null;
}

/** Reads `model_config`, which may be invalid JSON. */
export const readMarks = (config: unknown): Marks => {
  if (typeof config !== "string" || !config.includes("_from")) return NO_MARKS;
  const value = parseNested(config);
  if (!isRow(value)) return NO_MARKS;
  return {
    branchedFrom: idOf(value._branched_from),
    delegateFrom: idOf(value._delegate_from),
    resetFrom: idOf(value._reset_from),
  };
};

export const kindOf = (source: string, marks: Marks): SessionKind => {
  if (isDelegateSource(source) || marks.delegateFrom !== null) return "delegate";
  if (marks.branchedFrom !== null) return "branch";
  return marks.resetFrom !== null ? "reset" : "conversation";
};

/**
 * The child that continues `parent` after a compression, among its children; null if none does (a.9). `activityOf` is
 * asked only where several could.
 */
export const continuationOf = <K extends Kin>(
  parent: Kin,
  children: readonly K[],
  activityOf: (child: K) => number,
): K | null => {
  if (parent.endReason !== "compression") return null;
  const candidates = children.filter((child) => child.id !== parent.id && mayContinue(parent, child));
  const [first] = candidates;
  if (first === undefined || candidates.length === 1) return first ?? null;
  const rank = (child: K): number =>
    child.endReason === "compression" ? 2 : child.endedAt === null && child.endReason === null ? 1 : 0;
  return candidates.reduce((best, child) => {
    const order = rank(child) - rank(best) || activityOf(child) - activityOf(best);
    return order > 0 || (order === 0 && child.id > best.id) ? child : best;
  });
};

const mayContinue = (parent: Kin, { source, marks }: Kin): boolean =>
  !isDelegateSource(source) &&
  marks.branchedFrom !== parent.id &&
  marks.delegateFrom !== parent.id &&
  marks.resetFrom !== parent.id;

const isDelegateSource = (source: string): boolean => source === "subagent" || source === "tool";

const NO_MARKS: Marks = { branchedFrom: null, delegateFrom: null, resetFrom: null };

const idOf = (value: unknown): string | null => (typeof value === "string" && value !== "" ? value : null);
