import { describe, expect, test } from "@jest/globals";
import Database from "better-sqlite3";
import { createStateDbOps } from "../../../common/state-db/append.ts";
import type { OwnRow, StateDbOps, TurnInput, TurnRow } from "../../../common/state-db/port.ts";
import { deriveUid } from "../../../common/state-db/uid.ts";
import {
  alter,
  describeFile,
  make,
  mustRead,
  mutate,
  newPath,
  python,
  readAll,
  withOps,
} from "./read-files.ts";

const query = <T>(path: string, sql: string, ...values: unknown[]): T[] => {
  const db = new Database(path, { readonly: true });
  try {
    return db.prepare(sql).all(...values) as T[];
  } finally {
    db.close();
  }
};

const writing = <T>(path: string, work: (ops: StateDbOps) => T): T => {
  const ops = createStateDbOps(path, { lockLimitMs: 300 });
  try {
    return work(ops);
  } finally {
    ops.close();
  }
};

/**
 * The file and every full-text index of it, by SQLite's own checks; an index must also know exactly its rows. (Files with
 * encoded parts fail from the start: SQLite's versions split texts at their NUL differently.)
 */
const expectWhole = (path: string): void => {
  const db = new Database(path);
  try {
    expect(db.pragma("integrity_check", { simple: true })).toBe("ok");
    expect(db.pragma("foreign_key_check")).toEqual([]);
    const indexes = db
      .prepare("SELECT name FROM sqlite_master WHERE sql LIKE 'CREATE VIRTUAL TABLE%fts5%'")
      .pluck()
      .all() as string[];
    for (const name of indexes)
      db.prepare(`INSERT INTO ${name}(${name}, rank) VALUES ('integrity-check', 1)`).run();
  } finally {
    db.close();
  }
};

const AT = 1_790_000_000;
const call = {
  id: "call_1",
  type: "function" as const,
  function: { name: "terminal", arguments: '{"n":1}' },
};
const rowsOf = (turn: number): readonly TurnRow[] =>
  [
    { role: "user" as const, content: `do it zanzibar ${turn}` },
    { role: "assistant" as const, content: "", toolCalls: [call] },
    { role: "tool" as const, content: "ok zanzibar", toolCallId: "call_1", toolName: "terminal" },
    { role: "assistant" as const, content: "Done." },
  ].map((row, at) => ({ ...row, uid: deriveUid("take-back", turn, at), timestamp: AT + turn * 10 + at }));
const turnOf = (sessionId: string, turn: number, more: Partial<TurnInput> = {}): TurnInput => ({
  sessionId,
  source: "webui",
  title: null,
  model: "demo",
  cwd: null,
  profile: "default",
  rows: rowsOf(turn),
  ...more,
});
/** Writes a turn; the rows as we remember them. */
const write = (path: string, sessionId: string, turn: number): readonly (OwnRow & { rowId: number })[] => {
  const result = writing(path, (ops) => ops.appendTurn(turnOf(sessionId, turn)));
  if (result.status !== "ok") throw new Error(result.message);
  return rowsOf(turn).map(({ uid }, at) => ({ uid, rowId: result.rowIds[at] ?? 0 }));
};
/** Everything but our rows and the counters of the sessions they stand in. */
const othersOf = (path: string, own: readonly { readonly rowId: number }[], sessions: readonly string[]) => ({
  rows: query(
    path,
    "SELECT * FROM messages WHERE id NOT IN (SELECT value FROM json_each(?)) ORDER BY id",
    JSON.stringify(own.map(({ rowId }) => rowId)),
  ),
  sessions: query(
    path,
    "SELECT * FROM sessions WHERE id NOT IN (SELECT value FROM json_each(?)) ORDER BY id",
    JSON.stringify(sessions),
  ),
});

const FILES: readonly (readonly string[])[] = [
  ["--schema-version", "6"],
  ["--schema-version", "11"],
  ["--schema-version", "16"],
  ["--schema-version", "16", "--upgraded-from", "6", "--legacy-null-active"],
  ["--schema-version", "23"],
  ["--schema-version", "29"],
  ["--schema-version", "31"],
  ["--schema-version", "31", "--fts", "inline"],
  ["--schema-version", "31", "--upgraded-from", "16"],
  ["--schema-version", "31", "--journal", "delete", "--fts", "none"],
];

describe.each(FILES.map((options) => ({ name: options.join(" "), options })))(
  "a file of $name",
  ({ options }) => {
    const start = () => {
      const path = make("--sessions", "3", "--messages", "12", "--multimodal", "0", ...options);
      const id = describeFile(path).sessions[0]?.id ?? "";
      return { path, id, described: () => describeFile(path).sessions.find((session) => session.id === id) };
    };
    const canRewind = !["6", "11"].includes(options[1] ?? "");

    test("a rewind takes our rows of the range out of everybody's history, and no others", () => {
      const { path, id, described } = start();
      const [kept, gone] = [write(path, id, 1), write(path, id, 2)];
      mutate(path, "--append", id, "2");
      const own = [...kept, ...gone];
      const cutRowId = described()?.max_id ?? 0;
      const [before, others] = [described(), othersOf(path, own, [id])];
      const input = { segments: [id], keepThrough: kept.at(-1)?.rowId ?? 0, cutRowId, rows: own };
      const rewound = canRewind ? 4 : 0;
      expect(writing(path, (ops) => ops.rewindOwn(input))).toEqual({ status: "ok", rewound });
      expect(othersOf(path, own, [id])).toEqual(others);
      expect(described()).toMatchObject({
        active: (before?.active ?? 0) - rewound,
        visible: (before?.visible ?? 0) - rewound,
        message_count: (before?.message_count ?? 0) - rewound,
      });
      withOps((ops) => {
        expect(readAll(ops, path, id)).toHaveLength(described()?.visible ?? -1);
        if (canRewind && mustRead(ops.inspect(path)).columns.sessions.includes("rewind_count"))
          expect(mustRead(ops.heads(path, [id]))[0]?.rewindCount).toBe(1);
      });
      expectWhole(path);
      const digest = query(path, "SELECT * FROM sessions ORDER BY id");
      expect(writing(path, (ops) => ops.rewindOwn(input))).toEqual({ status: "ok", rewound: 0 });
      expect(query(path, "SELECT * FROM sessions ORDER BY id")).toEqual(digest);
    });

    test("a deletion takes our rows, and leaves a session that others wrote in", () => {
      const { path, id, described } = start();
      const before = described();
      const calls = query(path, "SELECT tool_call_count FROM sessions WHERE id = ?", id);
      const own = [...write(path, id, 1), ...write(path, id, 2)];
      mutate(path, "--append", id, "2");
      writing(path, (ops) =>
        ops.rewindOwn({ segments: [id], keepThrough: own[3]?.rowId ?? 0, cutRowId: 1e9, rows: own }),
      );
      const others = othersOf(path, own, [id]);
      const input = { segments: [id], rows: own, source: "webui" };
      const appended = query<{ n: number }>(
        path,
        "SELECT COUNT(*) AS n FROM messages WHERE session_id = ? AND id > ?",
        id,
        own.at(-1)?.rowId,
      )[0]?.n;
      const result = writing(path, (ops) => ops.deleteOwn(input));
      expect(result).toEqual({ status: "ok", deleted: 8, sessionsRemoved: [] });
      expect(othersOf(path, own, [id])).toEqual(others);
      expect(described()).toMatchObject({
        active: (before?.active ?? 0) + (appended ?? 0),
        message_count: (before?.active ?? 0) + (appended ?? 0),
      });
      expect(calls).not.toEqual([]);
      expectWhole(path);
      expect(writing(path, (ops) => ops.deleteOwn(input))).toEqual({ ...result, deleted: 0 });
    });

    test("a session of ours goes with its last row", () => {
      const { path, id } = start();
      const own = write(path, "ses_own", 1);
      const others = othersOf(path, own, ["ses_own"]);
      const input = { segments: ["ses_own"], rows: own };
      expect(writing(path, (ops) => ops.deleteOwn(input))).toEqual({
        status: "ok",
        deleted: 4,
        sessionsRemoved: ["ses_own"],
      });
      expect(query(path, "SELECT * FROM sessions WHERE id = 'ses_own'")).toEqual([]);
      expect(othersOf(path, own, ["ses_own"])).toEqual(others);
      expectWhole(path);
      expect(writing(path, (ops) => ops.deleteOwn(input))).toEqual({
        status: "ok",
        deleted: 0,
        sessionsRemoved: [],
      });
      // The id is free again, and the file goes on taking rows of everybody.
      write(path, "ses_own", 3);
      mutate(path, "--append", id, "2");
      expectWhole(path);
    });

    test("rows of others stay even where they are named", () => {
      const { path, id } = start();
      const own = write(path, id, 1);
      const hasUids = query<{ name: string }>(path, "PRAGMA table_info(messages)").some(
        ({ name }) => name === "message_uid",
      );
      const foreign = query<{ rowId: number }>(
        path,
        "SELECT id AS rowId FROM messages WHERE session_id = ? AND id NOT IN (SELECT value FROM json_each(?))",
        hasUids ? id : describeFile(path).sessions[1]?.id,
        JSON.stringify(own.map(({ rowId }) => rowId)),
      );
      const rows = foreign.map(({ rowId }, at) => ({ rowId, uid: deriveUid("nobody", at) }));
      const before = query(path, "SELECT * FROM messages ORDER BY id");
      expect(
        writing(path, (ops) => [
          ops.rewindOwn({ segments: [id], keepThrough: 0, cutRowId: 1e9, rows }),
          ops.deleteOwn({ segments: [id], rows }),
        ]),
      ).toEqual([
        { status: "ok", rewound: 0 },
        { status: "ok", deleted: 0, sessionsRemoved: [] },
      ]);
      expect(query(path, "SELECT * FROM messages ORDER BY id")).toEqual(before);
    });
  },
);

describe("a rotated conversation of ours", () => {
  const start = () => {
    const path = newPath();
    const own = [...write(path, "ses_own", 1), ...write(path, "ses_own", 2)];
    const { child } = mutate(path, "--rotate", "ses_own") as { child: string };
    return { path, own, child, segments: ["ses_own", child] };
  };

  test("loses our rows in all segments, the carried copies among them; the summary of the other program stays", () => {
    const { path, own, child, segments } = start();
    const result = writing(path, (ops) => ops.deleteOwn({ segments, rows: own }));
    // The tip holds the summary, so its row stays, and so does the root's, which the tip names as its parent.
    expect(result).toMatchObject({ status: "ok", sessionsRemoved: [] });
    expect(query(path, "SELECT _compressed_summary AS summary FROM messages")).toEqual([{ summary: 1 }]);
    alter(path, "DELETE FROM messages");
    expect(writing(path, (ops) => ops.deleteOwn({ segments, rows: own }))).toMatchObject({
      sessionsRemoved: [],
    });
    expect(writing(path, (ops) => ops.deleteOwn({ segments, rows: own, source: "webui" }))).toEqual({
      status: "ok",
      deleted: 0,
      sessionsRemoved: [child, "ses_own"],
    });
    expectWhole(path);
  });

  test("a rewind counts at the tip, and takes the rows out of each segment's counter", () => {
    const { path, own, child, segments } = start();
    const last = own.at(-1)?.rowId ?? 0;
    const before = describeFile(path).sessions;
    const rewound = writing(path, (ops) =>
      ops.rewindOwn({ segments, keepThrough: own[3]?.rowId ?? 0, cutRowId: last, rows: own }),
    );
    expect(rewound).toEqual({ status: "ok", rewound: 4 });
    expect(query(path, "SELECT rewind_count AS count FROM sessions WHERE id = ?", child)).toEqual([
      { count: 1 },
    ]);
    const after = describeFile(path).sessions;
    expect(after.map((session, at) => (before[at]?.message_count ?? 0) - session.message_count)).toEqual([
      4, 0,
    ]);
    expect(after.every((session) => session.message_count === session.active)).toBe(true);
  });

  test("keeps a session that a branch of somebody else names as its parent", () => {
    const path = newPath();
    const own = write(path, "ses_own", 1);
    alter(
      path,
      "INSERT INTO sessions (id, source, started_at, parent_session_id) VALUES ('theirs', 'cli', 5, 'ses_own')",
    );
    expect(writing(path, (ops) => ops.deleteOwn({ segments: ["ses_own"], rows: own }))).toEqual({
      status: "ok",
      deleted: 4,
      sessionsRemoved: [],
    });
  });
});

describe("what stands in the way is named, and nothing is changed", () => {
  const start = () => {
    const path = newPath();
    const own = write(path, "ses_own", 1);
    const remains = () => [query(path, "SELECT * FROM messages"), query(path, "SELECT * FROM sessions")];
    const both = () =>
      writing(path, (ops) =>
        [
          ops.rewindOwn({ segments: ["ses_own"], keepThrough: 0, cutRowId: 1e9, rows: own }),
          ops.deleteOwn({ segments: ["ses_own"], rows: own }),
        ].map((result) => (result.status === "ok" ? "ok" : result.reason)),
      );
    return { path, remains, both };
  };

  test.each([
    ["session_turn_leases", "conversation_id"],
    ["compression_locks", "session_id"],
  ])("a live entry of %s; an expired one is no obstacle", (table, key) => {
    const { path, remains, both } = start();
    const before = remains();
    const hold = (until: number): void =>
      alter(
        path,
        `INSERT OR REPLACE INTO ${table} (${key}, holder, acquired_at, expires_at) VALUES ('ses_own', 'cli', 0, ?)`,
        until,
      );
    hold(Date.now() / 1000 + 600);
    expect(both()).toEqual(["leased", "leased"]);
    expect(remains()).toEqual(before);
    hold(1);
    expect(both()).toEqual(["ok", "ok"]);
  });

  test("a full-text index that no trigger would take the rows out of", () => {
    const { path, remains, both } = start();
    alter(path, "DROP TRIGGER messages_fts_delete");
    const rows = remains()[0]?.length;
    expect(both()).toEqual(["ok", "read_only"]);
    expect(remains()[0]).toHaveLength(rows ?? -1);
  });

  test("a full-text index that is damaged", () => {
    const { path, remains, both } = start();
    const db = new Database(path).unsafeMode();
    db.exec("DELETE FROM messages_fts_data");
    db.close();
    const rows = remains()[0]?.length;
    expect(both()).toEqual(["ok", "corrupt"]);
    expect(remains()[0]).toHaveLength(rows ?? -1);
  });

  test("somebody else's lock", () => {
    const { path, both } = start();
    const db = new Database(path);
    db.exec("BEGIN IMMEDIATE");
    try {
      expect(both()).toEqual(["locked", "locked"]);
    } finally {
      db.close();
    }
  });

  test("no file, or an empty one: there is nothing to change, and none is made", () => {
    const path = newPath();
    const nothing = writing(path, (ops) => [
      ops.rewindOwn({ segments: ["a"], keepThrough: 0, cutRowId: 9, rows: [{ uid: "u", rowId: 1 }] }),
      ops.deleteOwn({ segments: ["a"], rows: [{ uid: "u", rowId: 1 }] }),
      ops.setTitle({ sessionId: "a", title: "t", source: "webui" }),
    ]);
    expect(nothing).toEqual([
      { status: "ok", rewound: 0 },
      { status: "ok", deleted: 0, sessionsRemoved: [] },
      { status: "ok", changed: false, title: null },
    ]);
    withOps((ops) => expect(ops.inspect(path).state).toBe("missing"));
  });
});

describe("a title", () => {
  test.each(["6", "16", "31"])(
    "of a session of ours is changed in version %s; B-18 a taken one gets a number",
    (version) => {
      const path = make("--sessions", "2", "--messages", "4", "--schema-version", version);
      write(path, "ses_own", 1);
      const taken = query<{ id: string; title: string }>(path, "SELECT id, title FROM sessions LIMIT 1")[0];
      const set = (sessionId: string, title: string, source = "webui") =>
        writing(path, (ops) => ops.setTitle({ sessionId, title, source }));
      const titleOf = (id: string) => query(path, "SELECT title FROM sessions WHERE id = ?", id);
      const name = taken?.title ?? "";
      expect(set("ses_own", "Mine")).toEqual({ status: "ok", changed: true, title: "Mine" });
      expect(set("ses_own", "Mine")).toEqual({ status: "ok", changed: false, title: "Mine" });
      expect(set("ses_own", name)).toEqual({ status: "ok", changed: true, title: `${name} #2` });
      expect(set("ses_own", name)).toEqual({ status: "ok", changed: false, title: `${name} #2` });
      expect(set("nobody", "New")).toEqual({ status: "ok", changed: false, title: null });
      expect(set("ses_own", "New", "telegram")).toEqual({
        status: "ok",
        changed: false,
        title: `${name} #2`,
      });
      expect(titleOf("ses_own")).toEqual([{ title: `${name} #2` }]);
      expect(titleOf(taken?.id ?? "")).toEqual([{ title: taken?.title }]);
    },
  );
});

describe("a branch", () => {
  test.each(["6", "16", "31"])("names its parent in version %s, and is read as one", (version) => {
    const path = make("--sessions", "2", "--messages", "4", "--schema-version", version);
    const parent = describeFile(path).sessions[0]?.id ?? "";
    // A parent that was rotated is continued by its own child, not by the branch.
    python(path, "--rotate", parent);
    writing(path, (ops) => {
      ops.appendTurn(turnOf("fork", 1, { branchedFrom: parent }));
      ops.appendTurn(turnOf("orphan", 2, { branchedFrom: "elsewhere" }));
      expect(ops.appendTurn(turnOf("fork", 3))).toMatchObject({ status: "ok" });
    });
    withOps((ops) => {
      expect(mustRead(ops.sessionInfo(path, "fork"))).toMatchObject({
        kind: "branch",
        parentId: parent,
        forkedFrom: parent,
      });
      expect(mustRead(ops.sessionInfo(path, "orphan"))).toMatchObject({
        kind: "branch",
        parentId: null,
        forkedFrom: "elsewhere",
      });
      expect(mustRead(ops.segments(path, "fork"))?.ids).toEqual(["fork"]);
      expect(mustRead(ops.segments(path, parent))?.ids).toHaveLength(2);
    });
  });
});
