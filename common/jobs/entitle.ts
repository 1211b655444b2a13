import type Database from "better-sqlite3";
import type { CompletedTurn } from "../runs/end-ops.ts";
import type { OutboxRow } from "../runs/ledger.ts";
import type { TitleOps } from "./title-ops.ts";

/**
 * Which completed turn gives its session a title (background-jobs B-11): the first one with something said on both sides, while the
 * title is automatic and was not generated; after that every `refreshEvery` turns, while it is a generated one.
 */
export const createEntitle = (
  db: Database.Database,
  { putTitleJob }: Pick<TitleOps, "putTitleJob">,
): ((turn: CompletedTurn) => OutboxRow[]) => {
  const sourceOf = db
    .prepare<[string], string | null>("select title_source from sessions where id = ?")
    .pluck();
  const turns = db
    .prepare<[string], number>("select count(*) from runs where session_id = ? and status = 'completed'")
    .pluck();

  return ({ sessionId, outcome, refreshEvery }) => {
    const answered = outcome.messages.some(
      ({ role, content, toolCalls = [] }) =>
        role === "assistant" && toolCalls.length === 0 && content.trim() !== "",
    );
    if (!answered) return [];
    const source = sourceOf.get(sessionId);
    const work = { sessionId, manual: false };
    if (source === "provisional")
      return putTitleJob({ ...work, about: "first", input: "first" })?.outbox ?? [];
    if (source !== "generated" || refreshEvery === 0) return [];
    const count = turns.get(sessionId) ?? 0;
    if (count % refreshEvery !== 0) return [];
    return putTitleJob({ ...work, about: `r${count}`, input: "latest" })?.outbox ?? [];
  };
};
