import { createHash } from "node:crypto";
import type { LegacyPlan } from "./plan.ts";
import type { ImportSession } from "./port.ts";
import type { LegacySession } from "./read.ts";

/** The plan as the session that will be kept. `workspace` is the one that may be used here, if any. */
export const toImportSession = (given: {
  readonly session: LegacySession;
  readonly plan: LegacyPlan;
  readonly profile: string;
  readonly storeId: string;
  readonly workspace: string | null;
  readonly digest: string;
}): ImportSession => {
  const { session, plan, profile, storeId, workspace, digest } = given;
  const createdAt = Math.max(0, session.createdAt ?? plan.rows[0]?.createdAt ?? 0);
  return {
    profile,
    storeId,
    title: session.title,
    // The file does not say who named the session; a person's title must not be overwritten (B-10).
    titleSource: session.title === null ? null : "user",
    model: session.model,
    workspace,
    pinned: session.pinned,
    archived: session.archived,
    createdAt,
    updatedAt: Math.max(createdAt, session.updatedAt ?? plan.rows.at(-1)?.createdAt ?? 0),
    digest,
    baseCursor: plan.baseCursor,
    rows: plan.rows,
  };
};

/** Names what an import was made from. What the store holds is no part of it: later rows come from there anyway. */
export const importDigest = (profile: string, storeId: string, text: string): string =>
  createHash("sha256")
    .update(JSON.stringify([PLAN_VERSION, profile, storeId]))
    .update("\n")
    .update(text)
    .digest("hex");

/** Raised when the same file would be planned differently, so that it is taken again. */
const PLAN_VERSION = 1;
