import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { chmodSync, copyFileSync, mkdtempSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, test } from "@jest/globals";
import Database from "better-sqlite3";
import { createStateDbOps } from "../../../common/state-db/append.ts";
import type { StateDbOps, TurnInput, TurnRow } from "../../../common/state-db/port.ts";
import { deriveUid } from "../../../common/state-db/uid.ts";

const TOOL = join(process.cwd(), "test", "tools", "make-state-db.py");
/** The interpreter itself: version managers put a slow script of this name on the PATH. */
const PYTHON = execFileSync("python3", ["-c", "import sys; print(sys.executable)"], {
  encoding: "utf8",
}).trim();
const python = (path: string, ...args: string[]): string =>
  execFileSync(PYTHON, [TOOL, path, ...args], { encoding: "utf8" });

interface Described {
  readonly messages: number;
  readonly digest: string;
  readonly sessions: readonly {
    readonly id: string;
    readonly message_count: number;
    readonly active: number;
    readonly visible: number;
  }[];
}
const describeFile = (path: string): Described => JSON.parse(python(path, "--describe")) as Described;
const newPath = (): string => join(mkdtempSync(join(tmpdir(), "talaria-state-")), "state.db");
/** All rows of all sessions but one, every column. */
const rowsOfOthers = (path: string, own: string): unknown[] => {
  const db = new Database(path, { readonly: true });
  try {
    return [
      ...db.prepare("SELECT * FROM messages WHERE session_id <> ? ORDER BY id").all(own),
      ...db.prepare("SELECT * FROM sessions WHERE id <> ? ORDER BY id").all(own),
    ];
  } finally {
    db.close();
  }
};
const query = <T>(path: string, sql: string, ...values: unknown[]): T[] => {
  const db = new Database(path, { readonly: true });
  try {
    return db.prepare(sql).all(...values) as T[];
  } finally {
    db.close();
  }
};
const withOps = <T>(path: string, work: (ops: StateDbOps) => T, lockLimitMs = 3000): T => {
  const ops = createStateDbOps(path, { lockLimitMs });
  try {
    return work(ops);
  } finally {
    ops.close();
  }
};

const AT = 1_790_000_000.25;
const row = (index: number, more: Partial<TurnRow> = {}): TurnRow => ({
  uid: deriveUid("run_1", index),
  role: "assistant",
  content: `text ${index}`,
  timestamp: AT,
  ...more,
});
const call = {
  id: "call_1",
  type: "function" as const,
  function: { name: "terminal", arguments: '{"n":1}' },
};
const turn = (sessionId: string, more: Partial<TurnInput> = {}): TurnInput => ({
  sessionId,
  source: "webui",
  title: "A talk",
  model: "demo",
  cwd: "/srv/app",
  profile: "default",
  rows: [
    row(0, { role: "user", content: "do it" }),
    row(1, { content: "", toolCalls: [call], reasoning: "think", finishReason: "tool_calls" }),
    row(2, { role: "tool", content: "ok", toolCallId: "call_1", toolName: "terminal" }),
    row(3, { content: "Done. ☃ \u2028 x", finishReason: "stop" }),
  ],
  ...more,
});

describe("a new file", () => {
  test("is what the family's own writer makes", () => {
    const [ours, theirs] = [newPath(), newPath()];
    python(theirs, "--sessions", "0");
    withOps(ours, (ops) => ops.appendTurn(turn("ses_1")));
    const shape = (path: string) => ({
      columns: ["sessions", "messages"].map((table) => query(path, `PRAGMA table_info(${table})`)),
      indexes: query<{ name: string }>(
        path,
        "SELECT name FROM sqlite_master WHERE type = 'index' ORDER BY name",
      ),
      version: query(path, "SELECT version FROM schema_version"),
      journal: query(path, "PRAGMA journal_mode"),
    });
    expect(shape(ours)).toEqual(shape(theirs));
    expect(query(ours, "SELECT rowid FROM messages_fts WHERE messages_fts MATCH 'Done'")).toHaveLength(1);
  });

  test("holds the turn, in order, with counters; the independent writer reads and continues it", () => {
    const path = newPath();
    const result = withOps(path, (ops) => ops.appendTurn(turn("ses_1")));
    expect(result).toEqual({ status: "ok", inserted: 4, rowIds: [1, 2, 3, 4], title: "A talk" });
    const rows = query<Record<string, unknown>>(path, "SELECT * FROM messages ORDER BY id");
    expect(rows.map((r) => [r.role, r.content, r.active])).toEqual([
      ["user", "do it", 1],
      ["assistant", "", 1],
      ["tool", "ok", 1],
      ["assistant", "Done. ☃ \u2028 x", 1],
    ]);
    expect(rows.map((r) => r.timestamp)).toEqual(
      [AT, AT + 1e-6, AT + 2e-6, AT + 3e-6].map((t) => Math.round(t * 1e6) / 1e6),
    );
    expect(rows.map((r) => r.tool_calls)).toEqual([null, JSON.stringify([call]), null, null]);
    expect(rows[0]?.message_uid).toMatch(/^[0-9a-f]{32}$/);
    expect(
      query(path, "SELECT title, source, message_count, tool_call_count, profile_name FROM sessions"),
    ).toEqual([
      { title: "A talk", source: "webui", message_count: 4, tool_call_count: 1, profile_name: "default" },
    ]);
    python(path, "--append", "ses_1", "3");
    const [described] = describeFile(path).sessions;
    expect(described).toMatchObject({ message_count: 7, active: 7, visible: 7 });
  });

  test("made by two at once, it is made once", async () => {
    const path = newPath();
    const script = `
      import { createStateDbOps } from ${JSON.stringify(join(process.cwd(), "common/state-db/append.ts"))};
      const turn = ${JSON.stringify(turn("ses_1"))};
      process.stdout.write(JSON.stringify(createStateDbOps(${JSON.stringify(path)}).appendTurn(turn)));`;
    const results = await Promise.all(
      [1, 2, 3].map(async () => {
        const child = spawn(process.execPath, ["--input-type=module", "-e", script], {
          stdio: ["ignore", "pipe", "inherit"],
        });
        let text = "";
        child.stdout.on("data", (data) => {
          text += String(data);
        });
        await once(child, "close");
        return (JSON.parse(text) as { inserted: number }).inserted;
      }),
    );
    expect(results.sort()).toEqual([0, 0, 4]);
  });
});

const FILES: readonly (readonly string[])[] = [
  ["--schema-version", "6"],
  ["--schema-version", "16"],
  ["--schema-version", "16", "--upgraded-from", "6", "--legacy-null-active"],
  ["--schema-version", "22"],
  ["--schema-version", "31"],
  ["--schema-version", "31", "--upgraded-from", "16"],
  ["--schema-version", "30", "--stamp", "23"],
  ["--schema-version", "31", "--journal", "delete", "--fts", "none"],
];

describe.each(FILES.map((options) => ({ name: options.join(" "), options })))(
  "an existing file: $name",
  ({ options }) => {
    const make = (): string => {
      const path = newPath();
      python(path, "--sessions", "3", "--messages", "12", ...options);
      return path;
    };

    test("takes a new session; a repeat changes nothing; rows of others stay as they are", () => {
      const path = make();
      const before = rowsOfOthers(path, "ses_1");
      const schema = query(path, "SELECT * FROM sqlite_master ORDER BY name");
      const results = withOps(path, (ops) => [1, 2].map(() => ops.appendTurn(turn("ses_1"))));
      expect(results[0]).toMatchObject({ status: "ok", inserted: 4 });
      const digest = describeFile(path).digest;
      expect(results[1]).toEqual({ ...results[0], inserted: 0 });
      // Another process after a crash: the same.
      expect(withOps(path, (ops) => ops.appendTurn(turn("ses_1")))).toEqual(results[1]);
      expect(describeFile(path).digest).toBe(digest);
      expect(rowsOfOthers(path, "ses_1")).toEqual(before);
      expect(query(path, "SELECT * FROM sqlite_master ORDER BY name")).toEqual(schema);
      expect(describeFile(path).sessions.find(({ id }) => id === "ses_1")).toMatchObject({
        message_count: 4,
        active: 4,
        visible: 4,
      });
    });

    test("takes rows behind a foreign session's, and completes a turn that is half there", () => {
      const path = make();
      const foreign = describeFile(path).sessions[0];
      if (foreign === undefined) throw new Error("no session");
      const whole = turn(foreign.id);
      withOps(path, (ops) => {
        expect(ops.appendTurn({ ...whole, rows: whole.rows.slice(0, 2) })).toMatchObject({ inserted: 2 });
        expect(ops.appendTurn(whole)).toMatchObject({ inserted: 2 });
      });
      expect(
        query<{ role: string }>(
          path,
          "SELECT role FROM messages WHERE session_id = ? ORDER BY id DESC LIMIT 4",
          foreign.id,
        ).map((r) => r.role),
      ).toEqual(["assistant", "tool", "assistant", "user"]);
      expect(describeFile(path).sessions.find(({ id }) => id === foreign.id)?.message_count).toBe(
        foreign.active + 4,
      );
    });
  },
);

describe("what stands in the way is named, and nothing is written", () => {
  const small = (): { readonly path: string; readonly sid: string } => {
    const path = newPath();
    python(path, "--sessions", "1", "--messages", "6");
    return { path, sid: describeFile(path).sessions[0]?.id ?? "" };
  };

  test("a session that compression continued elsewhere", () => {
    const { path, sid } = small();
    python(path, "--rotate", sid);
    const before = describeFile(path).digest;
    expect(withOps(path, (ops) => ops.appendTurn(turn(sid)))).toMatchObject({
      status: "refused",
      reason: "continued_elsewhere",
    });
    expect(describeFile(path).digest).toBe(before);
  });

  test("a live turn lease; an expired one is no obstacle", () => {
    const { path, sid } = small();
    const lease = (expires: number): void => {
      const db = new Database(path);
      db.prepare("INSERT OR REPLACE INTO session_turn_leases VALUES (?, 'cli', 0, ?)").run(sid, expires);
      db.close();
    };
    lease(Date.now() / 1000 + 600);
    expect(withOps(path, (ops) => ops.appendTurn(turn(sid)))).toMatchObject({
      status: "refused",
      reason: "leased",
    });
    lease(Date.now() / 1000 - 1);
    expect(withOps(path, (ops) => ops.appendTurn(turn(sid)))).toMatchObject({ status: "ok", inserted: 4 });
  });

  test("a lock held longer than the bound; one held shorter is waited for", async () => {
    const { path } = small();
    const hold = async (ms: number): Promise<{ end(): void; ended: Promise<unknown> }> => {
      const child = spawn(PYTHON, [TOOL, path, "--hold-lock", String(ms)], {
        stdio: ["ignore", "pipe", "inherit"],
      });
      const ended = once(child, "close");
      await once(child.stdout, "data");
      return { end: () => child.kill(), ended };
    };
    const long = await hold(60_000);
    expect(withOps(path, (ops) => ops.appendTurn(turn("ses_1")), 300)).toMatchObject({
      status: "refused",
      reason: "locked",
    });
    long.end();
    await long.ended;
    const short = await hold(700);
    expect(withOps(path, (ops) => ops.appendTurn(turn("ses_1")), 10_000)).toMatchObject({
      status: "ok",
      inserted: 4,
    });
    await short.ended;
  });

  test("something that is no database, another database, a damaged one, a folder", () => {
    const [junk, other, folder] = [newPath(), newPath(), newPath()];
    writeFileSync(junk, "this is a note, long enough to be looked at as a database header\n".repeat(40));
    const db = new Database(other);
    db.exec("CREATE TABLE notes (id INTEGER)");
    db.close();
    const { path: damaged } = small();
    python(damaged, "--append", describeFile(damaged).sessions[0]?.id ?? "", "400");
    execFileSync(PYTHON, [
      "-c",
      "import sys;f=open(sys.argv[1],'r+b');f.seek(4096);f.write(b'\\xff'*200000)",
      damaged,
    ]);
    for (const suffix of ["-wal", "-shm"]) rmSync(damaged + suffix, { force: true });
    const reasonAt = (path: string): string => {
      const result = withOps(path, (ops) => ops.appendTurn(turn("ses_1")), 100);
      return result.status === "ok" ? "ok" : result.reason;
    };
    expect(reasonAt(junk)).toBe("not_a_state_db");
    expect(reasonAt(other)).toBe("not_a_state_db");
    expect(reasonAt(damaged)).toBe("corrupt");
    expect(reasonAt(join(folder, ".."))).toBe("unavailable");
    expect(query(other, "SELECT name FROM sqlite_master")).toEqual([{ name: "notes" }]);
  });

  // root may write anything
  (process.getuid?.() === 0 ? test.skip : test)("a file that may not be written", () => {
    const { path } = small();
    chmodSync(path, 0o400);
    expect(withOps(path, (ops) => ops.appendTurn(turn("ses_1")))).toMatchObject({
      status: "refused",
      reason: "read_only",
    });
  });
});

test("B-18 same-title-twice: a title that is taken gets a number", () => {
  const path = newPath();
  withOps(path, (ops) => {
    ops.appendTurn(turn("ses_1"));
    expect(ops.appendTurn({ ...turn("ses_2"), rows: [row(9)] })).toMatchObject({ status: "ok", inserted: 1 });
  });
  expect(query(path, "SELECT title FROM sessions ORDER BY id")).toEqual([
    { title: "A talk" },
    { title: "A talk #2" },
  ]);
});

test("a row that was rewound, or copied by a compaction, is still known", () => {
  const path = newPath();
  withOps(path, (ops) => {
    ops.appendTurn(turn("ses_1"));
    python(path, "--compact", "ses_1", "2");
    expect(ops.appendTurn(turn("ses_1"))).toMatchObject({ inserted: 0 });
    python(path, "--rewind", "ses_1", "1");
    expect(ops.appendTurn(turn("ses_1"))).toMatchObject({ inserted: 0 });
  });
});

test("a file that was replaced under a running server is opened again", () => {
  const [path, copy] = [newPath(), newPath()];
  python(path, "--sessions", "1", "--messages", "4");
  copyFileSync(path, copy);
  withOps(path, (ops) => {
    expect(ops.appendTurn(turn("ses_1"))).toMatchObject({ inserted: 4 });
    for (const suffix of ["-wal", "-shm"]) rmSync(path + suffix, { force: true });
    renameSync(copy, path);
    expect(ops.appendTurn(turn("ses_1"))).toMatchObject({ inserted: 4 });
  });
  expect(describeFile(path).sessions.find(({ id }) => id === "ses_1")?.active).toBe(4);
});

test("an older copy, put back under a running server, takes nothing before what it lacks (c.4)", () => {
  const [path, copy] = [newPath(), newPath()];
  python(path, "--sessions", "1", "--messages", "4");
  copyFileSync(path, copy);
  withOps(path, (ops) => {
    const first = ops.appendTurn(turn("ses_1"));
    const newestOwnRow = first.status === "ok" ? Math.max(...first.rowIds) : 0;
    expect(ops.appendTurn(turn("ses_1", { newestOwnRow }))).toMatchObject({ status: "ok", inserted: 0 });
    for (const suffix of ["-wal", "-shm"]) rmSync(path + suffix, { force: true });
    renameSync(copy, path);
    const before = describeFile(path);
    const later = ops.appendTurn(turn("ses_1", { newestOwnRow }));
    expect(later).toMatchObject({ status: "refused", reason: "older_copy" });
    expect(describeFile(path)).toEqual(before);
    expect(ops.appendTurn(turn("ses_1", { newestOwnRow: 0 }))).toMatchObject({ inserted: 4 });
  });
});

test("a text that looks like an encoded list of parts is kept as text", () => {
  const path = newPath();
  const content = '\0json:[{"type":"text","text":"forged"}]';
  withOps(path, (ops) => ops.appendTurn(turn("ses_1", { rows: [row(0, { role: "user", content })] })));
  const [stored] = query<{ content: string }>(path, "SELECT content FROM messages");
  expect(JSON.parse(stored?.content.slice(6) ?? "")).toEqual([{ type: "text", text: content }]);
});
