import { describe, expect, test } from "@jest/globals";
import { alter, describeFile, make, mustRead, mutate, readAll, transcript, withOps } from "./read-files.ts";

const FILES: readonly (readonly string[])[] = [
  ["--schema-version", "6"],
  ["--schema-version", "16"],
  ["--schema-version", "16", "--upgraded-from", "6", "--legacy-null-active"],
  ["--schema-version", "22"],
  ["--schema-version", "30", "--stamp", "23"],
  ["--schema-version", "31"],
  ["--schema-version", "31", "--upgraded-from", "16"],
  ["--schema-version", "31", "--journal", "delete", "--fts", "none"],
];
const MUTATED = [
  ...["--sessions", "4", "--messages", "25", "--compacted", "2", "--rewound", "1", "--branches", "1"],
  ...["--subagents", "1", "--clock-skew", "0.1", "--multimodal", "0.2"],
];

describe.each(FILES.map((options) => ({ name: options.join(" "), options })))(
  "a file of $name",
  ({ options }) => {
    test("shows of every session what the independent writer counts, in pages of any size, by id", () => {
      const path = make(...MUTATED, ...options);
      withOps((ops) => {
        for (const { id, visible } of describeFile(path).sessions) {
          const rows = readAll(ops, path, id, 7);
          expect(rows.length).toBe(visible);
          expect(rows.every((row) => row.displayable && row.sessionId === id)).toBe(true);
          expect(rows.map(({ position }) => position)).toEqual(
            rows.map(({ position }) => position).toSorted((a, b) => a - b),
          );
          for (const limit of [1, 1000]) expect(readAll(ops, path, id, limit)).toEqual(rows);
        }
      });
    });

    test("a rotated conversation reads as one transcript: the carried copies are there once", () => {
      const path = make("--sessions", "1", "--messages", "20", ...options);
      const id = describeFile(path).sessions[0]?.id ?? "";
      withOps((ops) => {
        const before = readAll(ops, path, id);
        mutate(path, "--rotate", id);
        const rotated = readAll(ops, path, id);
        expect(transcript(rotated)).toEqual(transcript(before));
        mutate(path, "--append", id, "5", "--follow-tip");
        const tip = mustRead(ops.segments(path, id))?.tipId ?? "";
        mutate(path, "--rotate", tip);
        const twice = readAll(ops, path, id);
        expect(transcript(twice.slice(0, before.length))).toEqual(transcript(before));
        expect(twice.length).toBe(before.length + 5);
        expect(readAll(ops, path, tip, 3)).toEqual(twice);
      });
    });

    test("the model gets the active rows of the tip and its summary, nothing archived", () => {
      const path = make("--sessions", "1", "--messages", "20", ...options);
      const id = describeFile(path).sessions[0]?.id ?? "";
      mutate(path, "--compact", id, "4");
      const { active } = describeFile(path).sessions[0] ?? { active: 0 };
      const { rows, cut } = withOps((ops) => mustRead(ops.modelRows(path, id)));
      expect(rows.length).toBe(active);
      expect(cut).toBe(false);
      expect(rows.filter(({ summary }) => summary).map(({ rowId }) => rowId)).toEqual([rows[0]?.rowId]);
      const few = withOps((ops) => mustRead(ops.modelRows(path, id, { maxRows: 2 })));
      expect(few).toEqual({ rows: rows.slice(-2), cut: true });
    });
  },
);

describe.each(["17", "22", "31"])("version %s", (version) => {
  test("compaction is invisible in the transcript", () => {
    const path = make("--sessions", "1", "--messages", "30", "--schema-version", version);
    const id = describeFile(path).sessions[0]?.id ?? "";
    withOps((ops) => {
      const before = transcript(readAll(ops, path, id));
      mutate(path, "--compact", id, "5");
      expect(transcript(readAll(ops, path, id))).toEqual(before);
      mutate(path, "--append", id, "3");
      mutate(path, "--compact", id, "2");
      expect(transcript(readAll(ops, path, id)).slice(0, before.length)).toEqual(before);
    });
  });

  test("copies whose originals stay visible stand once, at the original's place, spoken for by the active row", () => {
    const path = make("--sessions", "1", "--messages", "12", "--schema-version", version);
    const id = describeFile(path).sessions[0]?.id ?? "";
    withOps((ops) => {
      const before = readAll(ops, path, id);
      const { kept_ids: kept } = mutate(path, "--compact", id, "4") as { kept_ids: number[] };
      // Some hosts archive the tail's originals as well.
      alter(path, "UPDATE messages SET compacted = 1 WHERE active = 0");
      for (const limit of [2, 5, 100]) {
        const after = readAll(ops, path, id, limit);
        expect(transcript(after)).toEqual(transcript(before));
        expect(after.map(({ position }) => position)).toEqual(before.map(({ position }) => position));
        expect(after.slice(-kept.length).map(({ rowId }) => rowId)).toEqual(kept);
      }
    });
  });
});

describe("one message, one row", () => {
  const file = (version: string) => {
    const path = make("--sessions", "1", "--messages", "2", "--schema-version", version);
    return { path, id: describeFile(path).sessions[0]?.id ?? "" };
  };
  const add = (path: string, id: string, values: Record<string, unknown>): void => {
    const row = { session_id: id, role: "user", timestamp: 1_790_000_000, active: 1, ...values };
    alter(
      path,
      `INSERT INTO messages (${Object.keys(row).join(", ")}) VALUES (${Object.keys(row).map(() => "?")})`,
      ...Object.values(row),
    );
  };
  const tail = (path: string, id: string, count: number): readonly string[] =>
    withOps((ops) =>
      readAll(ops, path, id)
        .slice(-count)
        .map(({ content }) => content),
    );

  test("rows without uid that agree in everything are one; two platform ids are two messages", () => {
    const { path, id } = file("22");
    for (const platform of [null, null, "1", "2"])
      add(path, id, { content: platform === null ? "twin" : "ok", platform_message_id: platform });
    expect(tail(path, id, 10).filter((text) => text === "twin" || text === "ok")).toEqual([
      "twin",
      "ok",
      "ok",
    ]);
  });

  test("uids decide alone", () => {
    const { path, id } = file("31");
    for (const uid of ["a", "b", "b"]) add(path, id, { content: "same", message_uid: uid });
    expect(tail(path, id, 3).filter((text) => text === "same")).toHaveLength(2);
  });

  test("a summary's carried text is shown unless the message stands there already", () => {
    const { path, id } = file("31");
    const end = "--- END OF CONTEXT SUMMARY — respond to the message below, not the summary above ---";
    const carrier = (text: string): string => `[CONTEXT COMPACTION] x\n${end}\n\n${text}`;
    add(path, id, { content: "first  question" });
    add(path, id, { content: carrier("first question"), _compressed_summary: 1, timestamp: 1_790_000_001 });
    add(path, id, { content: carrier("second question"), _compressed_summary: 1, timestamp: 1_790_000_002 });
    expect(tail(path, id, 2)).toEqual(["first  question", "second question"]);
  });

  test("a text of megabytes comes shortened and says so; a picture comes whole", () => {
    const { path, id } = file("31");
    const picture = `\0json:${JSON.stringify([{ type: "image_url", image_url: { url: "x".repeat(50_000) } }])}`;
    add(path, id, { content: "y".repeat(5_000_000) });
    add(path, id, { content: picture, timestamp: 1_790_000_001 });
    const rows = withOps(
      (ops) => mustRead(ops.displayPage(path, [id], { limit: 2, contentLimit: 1000 })).rows,
    );
    expect(rows[0]).toMatchObject({ content: "y".repeat(1000), fullBytes: 5_000_000 });
    expect(rows[1]?.rawContent).toBe(picture);
    expect(rows[1]?.fullBytes).toBeUndefined();
  });
});

test("a rewind hides rows; a row that was rewritten in place keeps its id", () => {
  const path = make("--sessions", "1", "--messages", "20");
  const id = describeFile(path).sessions[0]?.id ?? "";
  withOps((ops) => {
    const before = readAll(ops, path, id);
    const { from_id: from } = mutate(path, "--rewind", id, "1") as { from_id: number };
    const rest = readAll(ops, path, id);
    expect(rest).toEqual(before.filter(({ rowId }) => rowId < from));
    mutate(path, "--rewrite", id, "1");
    const [first] = readAll(ops, path, id);
    expect(first?.rowId).toBe(before[0]?.rowId);
    expect(first?.rawContent ?? first?.content).toContain("(edited)");
  });
});

test("a page goes on where the other one ended, also if that row was deleted meanwhile", () => {
  const path = make("--sessions", "2", "--messages", "20");
  const id = describeFile(path).sessions[0]?.id ?? "";
  mutate(path, "--rotate", id);
  withOps((ops) => {
    const segments = mustRead(ops.segments(path, id))?.ids ?? [];
    const page = mustRead(ops.displayPage(path, segments, { limit: 5 }));
    const all = readAll(ops, path, id);
    const before = page.nextBefore ?? 0;
    alter(path, "DELETE FROM messages WHERE id = ?", before);
    const older = mustRead(ops.displayPage(path, segments, { limit: 100, before }));
    expect(older.rows).toEqual(all.filter(({ position }) => position < before));
    expect(older.nextBefore).toBeNull();
  });
});
