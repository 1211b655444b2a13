import type { OpenStateDb } from "./open.ts";
import type { TitleInput, TitleResult } from "./port.ts";
import { inTransaction, prepared } from "./transaction.ts";

/** Renames a session of ours. Titles are unique in a file; ours yields. */
export const setOwnTitle = (
  file: OpenStateDb,
  { sessionId, title, source }: TitleInput,
  limitMs: number,
): TitleResult => {
  return inTransaction(file, limitMs, () => {
    if (!file.capabilities().sessions.has("title")) return { status: "ok", changed: false };
    const sql = `UPDATE sessions SET title = @title WHERE id = @sessionId AND source = @source
      AND title IS NOT @title AND NOT EXISTS (SELECT 1 FROM sessions WHERE title = @title AND id <> @sessionId)`;
    const { changes } = prepared(file.db, sql).run({ sessionId, title, source });
    return { status: "ok", changed: changes > 0 };
  });
};
