import { createHash } from "node:crypto";
import { squash } from "../../reconcile/content.ts";
import { type MergedRow, mergeWithOrigins } from "../../reconcile/merge.ts";
import { isRow, type Row } from "../../reconcile/row.ts";
import { canonicalTime } from "../../reconcile/time.ts";
import { type StateRow, toMergeRow } from "../../state-db/read/rows.ts";
import type { BaseRow } from "./port.ts";
import type { LegacySession } from "./read.ts";
import { createSaid, type Shown, showLocal, showStored } from "./show.ts";

export interface PlanInput {
  readonly session: LegacySession;
  readonly profile: string;
  readonly storeId: string;
  /** The whole display set of the conversation, oldest first; empty where the store knows nothing of it. */
  readonly storeRows: readonly StateRow[];
  /** Highest row id of the conversation when `storeRows` were read, visible or not. */
  readonly maxRowId: number;
  /** Which program wrote the store's rows; the sessions' `source` in the store. */
  readonly storeOrigin: string;
}

export interface LegacyPlan {
  /** The transcript as it will be shown: local order, the store's rows in their places. */
  readonly rows: readonly BaseRow[];
  readonly baseCursor: number;
  readonly counts: {
    /** On both sides. */
    readonly merged: number;
    /** Only in the store until now. */
    readonly fromStore: number;
    readonly localOnly: number;
    /** Rows of the file that are no messages for people: bookkeeping, summaries, empty ones. */
    readonly leftOut: number;
  };
}

/** What program the rows of a file come from. */
export const LEGACY_ORIGIN = "webui";

/**
 * Reads file and store as one transcript (c.3 to c.7) and writes it down row by row. Pure, and the same for the same
 * input: ids are derived from the file, so importing again names every message as before.
 */
export const planLegacyImport = (input: PlanInput): LegacyPlan => {
  const { session, storeRows } = input;
  const locals = withPending(session);
  const merged = mergeWithOrigins(locals, storeRows.map(toMergeRow), {
    truncation_watermark: session.truncationWatermark,
    truncation_boundary: session.truncationBoundary,
  });
  const isSaid = createSaid(locals);
  const idOf = createIds(input, locals);
  const counts = {
    merged: 0,
    fromStore: 0,
    localOnly: 0,
    leftOut: locals.length - merged.filter(isLocal).length,
  };
  const rows: BaseRow[] = [];
  let createdAt = session.createdAt ?? 0;
  for (const { row, sidecar, store } of merged) {
    const stored = store === null ? null : (storeRows[store] ?? null);
    const shown = sidecar === null ? stored && showStored(stored) : showLocal(row, stored, isSaid);
    if (shown === null) {
      counts.leftOut++;
      continue;
    }
    createdAt = Math.max(0, shown.createdAt ?? createdAt);
    counts[sidecar === null ? "fromStore" : store === null ? "localOnly" : "merged"]++;
    rows.push({
      id: idOf(sidecar, stored),
      rowId: stored?.rowId ?? null,
      uid: stored?.uid ?? null,
      ...withoutTime(shown),
      origin: sidecar === null ? input.storeOrigin : LEGACY_ORIGIN,
      createdAt,
    });
  }
  return { rows, baseCursor: input.maxRowId, counts };
};

const isLocal = ({ sidecar }: MergedRow): boolean => sidecar !== null;

const withoutTime = ({ createdAt: _createdAt, ...rest }: Shown): Omit<Shown, "createdAt"> => rest;

/** The prompt of a run in progress stands after everything else, unless it has become a message already. */
const withPending = ({ messages, pending }: LegacySession): readonly unknown[] => {
  if (pending === null) return messages;
  const last = messages.findLast((row) => isRow(row) && row.role === "user");
  const lastAt = isRow(last) ? canonicalTime(last.timestamp) : null;
  const isThere =
    isRow(last) &&
    typeof last.content === "string" &&
    squash(last.content) === squash(pending.text) &&
    (lastAt === null || pending.at === null || lastAt >= pending.at - SAME_MOMENT_S);
  if (isThere) return messages;
  const prompt = {
    role: "user",
    content: pending.text,
    timestamp: pending.at,
    attachments: pending.attachments,
  };
  return [...messages, prompt];
};

const SAME_MOMENT_S = 2;

/**
 * A message of the file is named by its own id where that is unique, else by its place; one that only the store has by
 * its uid, else by its row.
 */
const createIds = (
  { profile, storeId }: PlanInput,
  locals: readonly unknown[],
): ((sidecar: number | null, stored: StateRow | null) => string) => {
  const own = locals.map((row) => (isRow(row) ? ownId(row) : null));
  const uses = new Map<string, number>();
  for (const id of own) if (id !== null) uses.set(id, (uses.get(id) ?? 0) + 1);
  const named = (kind: string, value: string | number): string =>
    `imp_${createHash("sha256")
      .update(JSON.stringify([profile, storeId, kind, value]))
      .digest("hex")
      .slice(0, 32)}`;
  return (sidecar, stored) => {
    if (sidecar === null)
      return stored?.uid == null ? named("row", stored?.rowId ?? 0) : named("uid", stored.uid);
    const id = own[sidecar] ?? null;
    return id !== null && uses.get(id) === 1 ? named("id", id) : named("index", sidecar);
  };
};

const ownId = ({ id, message_id }: Row): string | null => {
  const value = id ?? message_id;
  return (typeof value === "string" && value !== "") || typeof value === "number" ? String(value) : null;
};
