import { describe, expect, test } from "@jest/globals";
import { identitiesOf } from "../../../common/reconcile/identity.ts";
import type { DisplayRow, StateDbReadOps } from "../../../common/state-db/read/port.ts";
import { toMergeRow } from "../../../common/state-db/read/rows.ts";
import { alter, describeFile, make, mustRead, mutate, readAll, withOps } from "./read-files.ts";

const segmentsOf = (ops: StateDbReadOps, path: string, id: string): readonly string[] =>
  mustRead(ops.segments(path, id))?.ids ?? [];
const oneSession = (...options: string[]): { readonly path: string; readonly id: string } => {
  const path = make("--sessions", "1", "--messages", "24", "--fts", "none", ...options);
  return { path, id: describeFile(path).sessions[0]?.id ?? "" };
};

describe("hidden rows", () => {
  test.each(["6", "16", "31"])("pages of version %s are what is left, in any size", (version) => {
    const { path, id } = oneSession("--schema-version", version);
    withOps((ops) => {
      const all = readAll(ops, path, id);
      const at = (index: number): number => all[index]?.rowId ?? 0;
      const hidden = {
        ranges: [
          [at(4), at(7)],
          [at(6), at(9)],
          [at(20), at(20)],
        ] as const,
        removed: identitiesOf(toMergeRow(all[12] as DisplayRow)),
        floor: at(1),
      };
      const left = all.filter((_, index) => index > 1 && !(index > 4 && index <= 9) && index !== 12);
      for (const limit of [1, 3, 100]) expect(readAll(ops, path, id, limit, { hidden })).toEqual(left);
      const model = mustRead(ops.modelRows(path, id, { hidden }));
      expect(model.rows.map(({ rowId }) => rowId)).toEqual(left.map(({ rowId }) => rowId));
      const upTo = mustRead(ops.modelRows(path, id, { hidden, upTo: at(10), maxRows: 3 }));
      expect(upTo).toEqual({ rows: model.rows.filter(({ rowId }) => rowId <= at(10)).slice(-3), cut: true });
    });
  });

  test("copies of a removed row that a compaction made stay away; those of other rows are shown", () => {
    const { path, id } = oneSession();
    withOps((ops) => {
      const all = readAll(ops, path, id);
      const cut = all.at(-3)?.rowId ?? 0;
      const highest = mustRead(ops.maxRowId(path, [id]));
      const removed = mustRead(ops.identities(path, [id], [cut, highest], 100)) ?? [];
      const hidden = { ranges: [[cut, highest] as const], removed, floor: 0 };
      mutate(path, "--compact", id, "6");
      const left = readAll(ops, path, id, 7, { hidden });
      expect(left.map(({ content }) => content)).toEqual(all.slice(0, -2).map(({ content }) => content));
      const model = mustRead(ops.modelRows(path, id, { hidden })).rows;
      expect(model.filter(({ summary }) => !summary).map(({ uid }) => uid)).toEqual(
        all.slice(-6, -2).map(({ uid }) => uid),
      );
    });
  });

  test("a message whose newer copy was cut away speaks for itself", () => {
    const { path, id } = oneSession();
    withOps((ops) => {
      const before = readAll(ops, path, id);
      const { kept_ids: kept } = mutate(path, "--compact", id, "4") as { kept_ids: number[] };
      alter(path, "UPDATE messages SET compacted = 1 WHERE active = 0");
      const hidden = { ranges: [[(kept[0] ?? 0) - 1, kept[0] ?? 0] as const], removed: [], floor: 0 };
      const left = readAll(ops, path, id, 7, { hidden });
      expect(left.map(({ content }) => content)).toEqual(before.map(({ content }) => content));
      expect(left.map(({ rowId }) => rowId)).not.toContain(kept[0]);
    });
  });
});

describe("where a message stands", () => {
  test.each(["16", "31"])(
    "version %s: found by its row, by copies of it, and by an archived original",
    (version) => {
      const { path, id } = oneSession("--schema-version", version);
      withOps((ops) => {
        const before = readAll(ops, path, id);
        for (const { position, rowId, uid, createdAt } of before) {
          expect(mustRead(ops.locate(path, [id], { rowId }))).toEqual({ position, rowId });
          if (uid === null) continue;
          expect(mustRead(ops.locate(path, [id], { uid }))).toEqual({ position, rowId });
          const key = { uid, createdAt: createdAt ?? undefined };
          expect(mustRead(ops.locate(path, [id], key))).toEqual({ position, rowId });
        }
        if (version !== "16") mutate(path, "--compact", id, "6");
        mutate(path, "--rotate", id);
        const segments = segmentsOf(ops, path, id);
        const after = readAll(ops, path, id);
        for (const [at, { rowId }] of before.entries()) {
          const { position = 0, rowId: speaker = 0 } = after[at] ?? {};
          expect(mustRead(ops.locate(path, segments, { rowId }))).toEqual({ position, rowId: speaker });
          expect(mustRead(ops.locate(path, segments, { rowId: speaker }))).toEqual({
            position,
            rowId: speaker,
          });
        }
      });
    },
  );

  test("null for what is not shown: unknown, rewound, hidden, of another conversation, a summary", () => {
    const path = make("--sessions", "2", "--messages", "20", "--fts", "none");
    const [id = "", other = ""] = describeFile(path).sessions.map((session) => session.id);
    withOps((ops) => {
      const rows = readAll(ops, path, id);
      const { from_id: from } = mutate(path, "--rewind", id, "1") as { from_id: number };
      const { summary_id: summary } = mutate(path, "--compact", id, "2") as { summary_id: number };
      const key = { rowId: rows[0]?.rowId ?? 0 };
      const hidden = { ranges: [], removed: [], floor: key.rowId };
      expect(mustRead(ops.locate(path, [id], key))).not.toBeNull();
      expect(mustRead(ops.locate(path, [id], key, { hidden }))).toBeNull();
      for (const rowId of [0, from, summary, readAll(ops, path, other)[0]?.rowId ?? 0])
        expect(mustRead(ops.locate(path, [id], { rowId }))).toBeNull();
      expect(mustRead(ops.locate(path, [id], { uid: "nobody", createdAt: 5 }))).toBeNull();
    });
  });
});

test("flags of rows, in any number", () => {
  const { path, id } = oneSession();
  withOps((ops) => {
    const ids = readAll(ops, path, id).map(({ rowId }) => rowId);
    const { from_id: from } = mutate(path, "--rewind", id, "1") as { from_id: number };
    alter(path, "UPDATE messages SET active = 0, compacted = 1 WHERE id = ?", ids[0]);
    const asked = [...ids, ...Array.from({ length: 2_000 }, (_, at) => 1_000_000 + at)];
    expect(mustRead(ops.rowStates(path, asked))).toEqual(
      ids.map((rowId) => ({ rowId, visible: rowId < from })),
    );
    expect(mustRead(ops.rowStates(path, []))).toEqual([]);
  });
});

test("the identities of a range are those of its rows; of too many there are none", () => {
  const { path, id } = oneSession();
  mutate(path, "--rotate", id);
  withOps((ops) => {
    const segments = segmentsOf(ops, path, id);
    const rows = readAll(ops, path, id);
    const [from, to] = [rows[3]?.rowId ?? 0, rows[9]?.rowId ?? 0];
    const expected = rows.slice(4, 10).flatMap((row) => [...identitiesOf(toMergeRow(row))]);
    expect(mustRead(ops.identities(path, segments, [from, to], 6))).toEqual(expected);
    expect(mustRead(ops.identities(path, segments, [from, to], 5))).toBeNull();
    expect(mustRead(ops.identities(path, segments, [to, to], 5))).toEqual([]);
    expect(mustRead(ops.identities(path, [], [0, 1e9], 5))).toEqual([]);
  });
});

test("the newest message, its text no longer than a preview", () => {
  const { path, id } = oneSession();
  const parts = `\0json:${JSON.stringify([{ type: "text", text: "p".repeat(900) }])}`;
  withOps((ops) => {
    const last = readAll(ops, path, id).at(-1);
    expect(mustRead(ops.lastDisplay(path, [id]))).toMatchObject({
      position: last?.position,
      rowId: last?.rowId,
      content: last?.content.slice(0, 400),
    });
    for (const content of ["t".repeat(5_000), parts]) {
      alter(path, "UPDATE messages SET content = ? WHERE id = ?", content, last?.rowId);
      const preview = mustRead(ops.lastDisplay(path, [id]));
      expect(preview?.content).toMatch(/^[tp]{400}$/);
      expect(preview).not.toHaveProperty("parts");
      expect(preview).not.toHaveProperty("rawContent");
    }
    alter(path, "DELETE FROM messages");
    expect(mustRead(ops.lastDisplay(path, [id]))).toBeNull();
    expect(mustRead(ops.maxRowId(path, [id]))).toBe(0);
  });
});

test("the whole list at once says what was renamed, rewound, branched or deleted", () => {
  const path = make(
    ...["--sessions", "6", "--messages", "8", "--lineage", "2", "--branches", "1", "--subagents", "1"],
    ...["--fts", "none"],
  );
  withOps((ops) => {
    const list = () => mustRead(ops.sessionsLight(path));
    const first = list();
    expect(first).toEqual(mustRead(ops.listSessions(path, { limit: 1000 })).sessions);
    const branch = first.find(({ kind }) => kind === "branch");
    expect(branch?.forkedFrom).toBe(branch?.parentId);
    expect(mustRead(ops.sessionInfo(path, branch?.id ?? ""))?.forkedFrom).toBe(branch?.parentId);
    expect(first.filter(({ forkedFrom }) => forkedFrom !== null)).toHaveLength(1);
    const chain = first.find(({ segmentCount }) => segmentCount > 1);
    mutate(path, "--rewind", chain?.tipId ?? "", "1");
    mutate(path, "--rewind", chain?.id ?? "", "1");
    const gone = first.find(({ kind, segmentCount }) => kind === "conversation" && segmentCount === 1);
    alter(path, "UPDATE sessions SET title = 'renamed' WHERE id = ?", chain?.id);
    mutate(path, "--delete", gone?.id ?? "");
    const second = list();
    expect(second.find(({ id }) => id === chain?.id)).toMatchObject({ title: "renamed", rewindCount: 2 });
    expect(second.map(({ id }) => id)).not.toContain(gone?.id);
  });
});
