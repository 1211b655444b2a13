import { describe, expect, test } from "@jest/globals";
import Database from "better-sqlite3";
import type { Changes, StateDbReadOps } from "../../../common/state-db/read/port.ts";
import { alter, describeFile, make, mustRead, mutate, readAll, withOps } from "./read-files.ts";

const FILES = [
  ["--schema-version", "6"],
  ["--schema-version", "16", "--legacy-null-active"],
  ["--schema-version", "31"],
  ["--schema-version", "31", "--upgraded-from", "16"],
  ["--schema-version", "30", "--journal", "delete"],
];
const idsOf = (path: string): readonly string[] => describeFile(path).sessions.map(({ id }) => id);
const watermarkOf = (ops: StateDbReadOps, path: string): number =>
  mustRead(ops.changesSince(path, null, 1)).watermark;
const allChanges = (ops: StateDbReadOps, path: string, from: number, limit: number): readonly Changes[] => {
  const found: Changes[] = [];
  for (let watermark = from; found.at(-1)?.more ?? true; ) {
    const changes = mustRead(ops.changesSince(path, watermark, limit));
    found.push(changes);
    watermark = changes.watermark;
  }
  return found;
};

/** Of `times` tries, in milliseconds: what a busy machine adds falls away. */
const fastestOf = (times: number, work: () => unknown): number =>
  Math.min(
    ...Array.from({ length: times }, () => {
      const began = performance.now();
      work();
      return performance.now() - began;
    }),
  );

describe.each(FILES.map((options) => ({ name: options.join(" "), options })))("$name", ({ options }) => {
  test("changes are told by session, in batches, and once", () => {
    const path = make("--sessions", "3", "--messages", "8", ...options);
    const [first = "", second = ""] = idsOf(path);
    withOps((ops) => {
      const start = watermarkOf(ops, path);
      expect(mustRead(ops.changesSince(path, start, 10))).toEqual({
        changes: [],
        watermark: start,
        more: false,
        replaced: false,
      });
      mutate(path, "--append", first, "7");
      mutate(path, "--append", second, "4");
      const all = mustRead(ops.changesSince(path, start, 100));
      expect(all).toMatchObject({ watermark: start + 11, more: false, replaced: false });
      expect(all.changes.map(({ sessionId, count, maxRowId }) => [sessionId, count, maxRowId])).toEqual([
        [first, 7, start + 7],
        [second, 4, start + 11],
      ]);
      const [newest] = mustRead(ops.rowsAfter(path, [second], start + 10, 5)).rows;
      expect(all.changes[1]).toMatchObject({ lastRole: newest?.role, lastTimestamp: newest?.createdAt });
      const batches = allChanges(ops, path, start, 3);
      expect(batches.flatMap(({ changes }) => changes).reduce((sum, { count }) => sum + count, 0)).toBe(11);
      expect(batches.at(-1)?.watermark).toBe(start + 11);
    });
  });

  test("rows above a cursor come by id from every segment, the invisible ones marked", () => {
    const path = make("--sessions", "2", "--messages", "9", ...options);
    const [root = "", other = ""] = idsOf(path);
    withOps((ops) => {
      const before = mustRead(ops.rowsAfter(path, [root], 0, 100));
      expect(before.rows).toHaveLength(9);
      const { child, summary_id: summary } = mutate(path, "--rotate", root) as {
        child: string;
        summary_id: number;
      };
      mutate(path, "--append", other, "3");
      mutate(path, "--append", child, "3");
      const after = mustRead(ops.rowsAfter(path, [root, child], before.cursor, 100));
      expect(after.rows.every(({ sessionId }) => sessionId === child)).toBe(true);
      expect(after.rows[0]).toMatchObject({ rowId: summary, summary: true, displayable: false });
      expect(after.rows.at(-1)).toMatchObject({ displayable: true });
      expect(after.rows.map(({ rowId }) => rowId)).toEqual(
        after.rows.map(({ rowId }) => rowId).toSorted((a, b) => a - b),
      );
      const small = mustRead(ops.rowsAfter(path, [root, child], 0, 4));
      expect(small).toMatchObject({ more: true, cursor: small.rows.at(-1)?.rowId });
      expect(mustRead(ops.rowsAfter(path, [root, child], after.cursor, 4))).toEqual({
        rows: [],
        cursor: after.cursor,
        more: false,
      });
    });
  });

  test("heads follow appends, rewinds and rotations", () => {
    const path = make("--sessions", "2", "--messages", "12", ...options);
    const [id = "", other = ""] = idsOf(path);
    withOps((ops) => {
      const headOf = (session: string) => mustRead(ops.heads(path, [session]))[0];
      const described = () => describeFile(path).sessions.find((session) => session.id === id);
      const still = headOf(other);
      expect(headOf(id)).toMatchObject({ messageCount: 12, maxRowId: described()?.max_id, rewindCount: 0 });
      mutate(path, "--append", id, "3");
      expect(headOf(id)).toMatchObject({ messageCount: 15, maxRowId: described()?.max_id, endReason: null });
      if (!options.includes("6")) {
        mutate(path, "--rewind", id, "1");
        expect(headOf(id)).toMatchObject({ messageCount: described()?.active, rewindCount: 1 });
      }
      mutate(path, "--rotate", id);
      expect(headOf(id)).toMatchObject({ endReason: "compression" });
      expect(headOf(other)).toEqual(still);
      expect(mustRead(ops.heads(path, ["nobody", other]))).toEqual([still]);
    });
  });
});

test("the data version changes with commits of others, and with nothing else", () => {
  const path = make("--sessions", "1", "--messages", "4");
  const [id = ""] = idsOf(path);
  withOps((ops) => {
    const version = (): string => mustRead(ops.dataVersion(path)).version;
    const first = version();
    readAll(ops, path, id);
    mustRead(ops.listSessions(path, { limit: 5 }));
    expect(version()).toBe(first);
    mutate(path, "--rewrite", id, "1");
    expect(version()).not.toBe(first);
  });
});

test("a watermark above every id the file gave out means another file; deleted rows do not", () => {
  const path = make("--sessions", "2", "--messages", "6");
  const [, last = ""] = idsOf(path);
  withOps((ops) => {
    const start = watermarkOf(ops, path);
    mutate(path, "--delete", last);
    expect(mustRead(ops.changesSince(path, start, 10))).toMatchObject({ replaced: false, watermark: start });
    expect(mustRead(ops.changesSince(path, start + 1, 10))).toMatchObject({
      replaced: true,
      watermark: start,
      changes: [],
    });
  });
});

test("old layouts stay right when rows come, go and are inserted again", () => {
  const path = make("--sessions", "2", "--messages", "20", "--schema-version", "16");
  const [id = "", other = ""] = idsOf(path);
  withOps((ops) => {
    readAll(ops, path, id);
    readAll(ops, path, other);
    const steps: readonly (readonly string[])[] = [
      ["--append", id, "5"],
      ["--replace", id],
      ["--append", other, "2"],
      ["--clear", id],
      ["--append", id, "3"],
    ];
    for (const step of steps) {
      mutate(path, ...step);
      for (const session of [id, other])
        expect([session, readAll(ops, path, session).length]).toEqual([
          session,
          describeFile(path).sessions.find((described) => described.id === session)?.visible,
        ]);
    }
  });
});

test("a body of megabytes is not read to tell that it came", () => {
  const path = make("--sessions", "1", "--messages", "2", "--fts", "none");
  const [id = ""] = idsOf(path);
  withOps((ops) => {
    const start = watermarkOf(ops, path);
    alter(
      path,
      "INSERT INTO messages (session_id, role, content, timestamp) VALUES (?, 'tool', ?, 5)",
      id,
      "z".repeat(40_000_000),
    );
    const look = (): void => {
      expect(mustRead(ops.changesSince(path, start, 10)).changes).toEqual([
        { sessionId: id, count: 1, maxRowId: start + 1, lastTimestamp: null, lastRole: "tool" },
      ]);
      mustRead(ops.heads(path, [id]));
      mustRead(ops.listSessions(path, { limit: 1 }));
    };
    const whole = new Database(path, { readonly: true });
    const body = whole.prepare("SELECT content FROM messages WHERE length(content) > 1000").pluck();
    expect(fastestOf(5, look)).toBeLessThan(fastestOf(5, () => body.get()));
    whole.close();
  });
});
