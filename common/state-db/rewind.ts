import type { OpenStateDb } from "./open.ts";
import { findOwnIds, ownRows, refuseWhileBusy, uncount } from "./own-rows.ts";
import type { RewindInput, RewindResult } from "./port.ts";
import { waitForLock } from "./refusal.ts";
import { inTransaction, prepared } from "./transaction.ts";

/** Soft rewind of our own rows (a.7): they stay in the file, out of everybody's history. */
export const rewindOwnRows = (file: OpenStateDb, input: RewindInput, limitMs: number): RewindResult => {
  const { segments, keepThrough, cutRowId, rows } = input;
  const range = { segments, rows, above: keepThrough, upTo: cutRowId };
  const ids = waitForLock(limitMs, () =>
    file.capabilities().messages.has("active") ? findOwnIds(file, range) : [],
  );
  if (ids.length === 0) return NOTHING;
  return inTransaction(file, limitMs, () => {
    const { db } = file;
    const can = file.capabilities();
    const active = ownRows(db, can, ids, input).filter((row) => row.active);
    if (active.length === 0) return NOTHING;
    refuseWhileBusy(db, can, segments);
    const compacted = can.messages.has("compacted") ? ", compacted = 0" : "";
    const sql = `UPDATE messages SET active = 0${compacted} WHERE id IN (SELECT value FROM json_each(?))`;
    const { changes } = prepared(db, sql).run(JSON.stringify(active.map(({ id }) => id)));
    uncount(db, can, active);
    if (can.sessions.has("rewind_count"))
      prepared(db, "UPDATE sessions SET rewind_count = COALESCE(rewind_count, 0) + 1 WHERE id = ?").run(
        segments.at(-1),
      );
    return { status: "ok", rewound: changes };
  });
};

const NOTHING: RewindResult = { status: "ok", rewound: 0 };
