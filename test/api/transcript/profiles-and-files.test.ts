import {
  chmodSync,
  closeSync,
  fstatSync,
  openSync,
  renameSync,
  rmSync,
  writeFileSync,
  writeSync,
} from "node:fs";
import { dirname, join } from "node:path";
import { describe, expect, test } from "@jest/globals";
import Database from "better-sqlite3";
import type { StoreInfo } from "../../../common/contracts/http.ts";
import type { Message } from "../../../common/contracts/message.ts";
import type { StoreState } from "../../../common/contracts/session.ts";
import { alter, mutate, python, pythonBeside, pythonHolding } from "../../common/state-db/read-files.ts";
import { eventually } from "../../helpers/wait.ts";
import {
  addProfile,
  backUp,
  conversationsOf,
  type Desk,
  describedSession,
  idsOf,
  newHome,
  openDesk,
  openListed,
  type Refusal,
  restore,
  rowsOf,
  told,
} from "./desk.ts";

const MAKE = ["--sessions", "2", "--messages", "10", "--multimodal", "0"];
const EXCLUSIVE =
  "import sqlite3,sys,time;d=sqlite3.connect(sys.argv[1],isolation_level=None);d.execute('BEGIN EXCLUSIVE');print('held',flush=True);sys.stdin.read()";

const opened = async (...options: string[]): Promise<{ desk: Desk; id: string }> => {
  const {
    desk,
    ids: [id = ""],
  } = await openListed(newHome(...MAKE, ...options));
  await desk.settled(id);
  return { desk, id };
};
const storesOf = async (desk: Desk): Promise<readonly StoreInfo[]> =>
  (await desk.call<{ data: StoreInfo[] }>("GET", "/api/stores")).body.data;
const stateIs = (desk: Desk, id: string, state: StoreState) =>
  eventually(`the store of ${id} to be ${state}`, async () =>
    (await desk.head(id)).store === state ? true : undefined,
  );

describe("profiles", () => {
  test("e.69 the same session id in two profiles is never mixed", async () => {
    const home = newHome(...MAKE);
    const other = addProfile(home, "work", ...MAKE, "--seed", "9");
    const [id = ""] = conversationsOf(join(home, "state.db"));
    const [their = ""] = conversationsOf(other);
    // Before anybody looks: a conversation that has another id in a moment is another conversation.
    const db = new Database(other);
    db.pragma("foreign_keys = OFF");
    db.prepare("UPDATE sessions SET id = ? WHERE id = ?").run(id, their);
    db.prepare("UPDATE messages SET session_id = ? WHERE session_id = ?").run(id, their);
    db.close();
    const desk = await openDesk(home);
    const twin = await eventually("both in the list", async () => {
      const all = await desk.sessions();
      const title = describedTitle(other, id);
      const there = all.some(
        (one) => one.profile === "default" && one.title === describedTitle(desk.file, id),
      );
      return there ? all.find((one) => one.profile === "work" && one.title === title) : undefined;
    });
    const twins = (await desk.sessions()).filter(({ title }) =>
      [describedTitle(other, id), describedTitle(desk.file, id)].includes(title),
    );
    const pairs = await Promise.all(
      twins.map(async (session) => {
        await desk.settled(session.id);
        return { session, messages: await desk.messages(session.id) };
      }),
    );
    expect(new Set(pairs.map(({ session }) => session.id)).size).toBe(2);
    for (const { session, messages } of pairs) {
      const rows = rowsOf(desk.fileOf(session.profile), `session_id = '${id}'`);
      expect(messages.map(({ content }) => content)).toEqual(rows.map(({ content }) => content ?? ""));
    }
    // What is done to one is not done to the other.
    const before = told(await desk.messages(twin.id));
    const defaultId = pairs.find(({ session }) => session.profile === "default")?.session.id ?? "";
    await desk.turn(defaultId, "only here");
    mutate(other, "--append", id, "1");
    await desk.settled(twin.id, ({ message_count }) => message_count === before.length + 1);
    expect((await desk.call("DELETE", `/api/sessions/${defaultId}`)).status).toBe(204);
    await desk.settled(twin.id, ({ message_count }) => message_count === before.length + 1);
    await desk.close();
  });

  test("a deleted session stays deleted when its id is used in another profile", async () => {
    const home = newHome(...MAKE);
    addProfile(home, "work");
    const desk = await openDesk(home);
    const id = await desk.newSession();
    await desk.turn(id, "old");
    mutate(desk.file, "--append", id, "1", "--now");
    await desk.settled(id, ({ message_count }) => message_count === 3);
    await desk.call("DELETE", `/api/sessions/${id}`);
    await desk.newSession({ id, profile: "work" });
    mutate(desk.file, "--append", id, "1", "--now");
    alter(desk.file, "INSERT INTO sessions (id, source, started_at) VALUES ('after', 'cli', 1795000000)");
    await desk.listed("after");
    expect((await desk.sessions()).filter((one) => one.title === null && one.profile === "default")).toEqual([
      expect.objectContaining({ id: "after" }),
    ]);
    expect(await desk.messages(id)).toEqual([]);
    await desk.close();
  });

  test("a profile whose folder comes later is followed, and turns go into its own file", async () => {
    const desk = await openDesk(newHome(...MAKE));
    const path = addProfile(desk.home, "late", "--sessions", "1", "--messages", "4");
    const [id = ""] = conversationsOf(path);
    await eventually("its session in the list", async () =>
      (await desk.sessions("&profile=late")).length === 1 ? true : undefined,
    );
    const [session] = await desk.sessions("&profile=late");
    await desk.turn(session?.id ?? "", "in its file");
    expect(rowsOf(path, `session_id = '${id}'`).at(-1)?.content).toBe("answer to in its file");
    await desk.close();
  });
});

const describedTitle = (path: string, id: string): unknown => {
  const db = new Database(path, { readonly: true });
  try {
    return db.prepare("SELECT title FROM sessions WHERE id = ?").pluck().get(id);
  } finally {
    db.close();
  }
};

test("ids that our addresses cannot carry get one that they can, the same after a restart", async () => {
  const home = newHome(...MAKE);
  const path = join(home, "state.db");
  const ids = ["agent:main/telegram dm", "ü".repeat(40), "x".repeat(65), "..", "a.b"];
  for (const [n, id] of ids.entries()) {
    alter(
      path,
      "INSERT INTO sessions (id, source, started_at, title, message_count) VALUES (?, 'gateway', 1790000000, ?, 0)",
      id,
      `odd ${n}`,
    );
    mutate(path, "--append", id, "2", "--per-commit", "2");
    // Logical ids of others are opaque, too.
    alter(path, "UPDATE messages SET message_uid = 'wire:' || id || '/ü' WHERE session_id = ?", id);
  }
  const desk = await openDesk(home);
  const odd = await eventually("all of them", async () => {
    const found = (await desk.sessions()).filter(({ source }) => source === "gateway");
    return found.length === ids.length ? found : undefined;
  });
  for (const { id } of odd) {
    expect(id).toMatch(/^[A-Za-z0-9_-]{1,64}$/);
    await desk.settled(id, ({ message_count }) => message_count === 2);
    const messages = await desk.messages(id);
    for (const message of messages) {
      expect(message.id).toMatch(/^[A-Za-z0-9_-]{1,200}$/);
      const { status, body } = await desk.call<{ message: Message }>(
        "GET",
        `/api/sessions/${id}/messages/${message.id}`,
      );
      expect([status, body.message]).toEqual([200, message]);
    }
    await desk.turn(id, "goes on");
    await desk.settled(id, ({ message_count }) => message_count === 4);
    const { body } = await desk.call<{ removed_count: number }>("POST", `/api/sessions/${id}/truncate`, {
      keep_through: messages[0]?.id,
    });
    expect(body.removed_count).toBe(3);
  }
  await desk.close();
  const again = await openDesk(home);
  await again.settled(odd[0]?.id ?? "");
  expect((await again.sessions("&source=gateway")).map(({ id }) => id).sort()).toEqual(
    odd.map(({ id }) => id).sort(),
  );
  await again.close();
});

test.each([
  ["31", "--stamp", "23"],
  ["31", "--stamp", "99"],
  ["16", "--stamp", "31"],
  ["31", "--upgraded-from", "6"],
  ["11", "--journal", "delete"],
  ["6", "--fts", "none"],
])("e.71 columns decide, not the number: version %s with %s %s", async (version, option, value) => {
  const { desk, id } = await opened("--schema-version", version, option, value);
  const before = await desk.messages(id);
  expect(before).toHaveLength(describedSession(desk.file, id).visible);
  const run = await desk.turn(id, "works");
  mutate(desk.file, "--append", id, "2", "--now");
  await desk.settled(id, ({ message_count }) => message_count === before.length + 4);
  expect(idsOf(await desk.messages(id)).slice(before.length, before.length + 2)).toEqual([
    `${run}-0`,
    `${run}-1`,
  ]);
  const [store] = await storesOf(desk);
  expect(store).toMatchObject({ profile: "default", state: "ok", newer: value === "99" });
  await desk.close();
});

describe("e.72 a restored copy takes the file's place", () => {
  test("nothing comes twice, cuts hold, our turns are brought in again", async () => {
    const { desk, id } = await opened();
    const own = await desk.newSession();
    await desk.turn(own, "before");
    const backup = await backUp(desk.file);
    await desk.call("POST", `/api/sessions/${id}/undo`, {});
    const run = await desk.turn(id, "since then");
    const later = await desk.turn(own, "later");
    mutate(desk.file, "--append", id, "3", "--now");
    const kept = (await desk.messages(id)).slice(0, -5);
    await desk.settled(own, ({ message_count }) => message_count === 4);
    const owned = idsOf(await desk.messages(own));
    restore(backup, desk.file);
    await eventually("our turns in the file", () =>
      rowsOf(desk.file, "content IN ('since then', 'later')").length === 2 ? true : undefined,
    );
    await desk.settled(id, ({ message_count }) => message_count === kept.length + 2);
    await desk.settled(own, ({ message_count }) => message_count === 4);
    const after = await desk.messages(id);
    expect(idsOf(after)).toEqual([...idsOf(kept), `${run}-0`, `${run}-1`]);
    expect(idsOf(await desk.messages(own))).toEqual(owned);
    expect(owned).toContain(`${later}-1`);
    await desk.close();
  });

  test("a fork that the copy does not know keeps its messages and is brought in again", async () => {
    const { desk, id } = await opened();
    const backup = await backUp(desk.file);
    const { body } = await desk.call<{ session: { id: string } }>("POST", `/api/sessions/${id}/fork`, {});
    const fork = body.session.id;
    await eventually("the copies in the file", () =>
      rowsOf(desk.file, `session_id = '${fork}'`).length === 10 ? true : undefined,
    );
    await desk.settled(fork, ({ store }) => store === "ok");
    const before = told(await desk.messages(fork));
    restore(backup, desk.file);
    mutate(desk.file, "--append", id, "1");
    await eventually("the copies in the new file", () =>
      rowsOf(desk.file, `session_id = '${fork}'`).length === 10 ? true : undefined,
    );
    await desk.settled(fork, ({ message_count }) => message_count === 10);
    expect(told(await desk.messages(fork))).toEqual(before);
    await desk.close();
  });
});

describe("e.73 another program holds the file for itself", () => {
  test("a poll answers the old numbers at once; a read waits, then tells what we have; afterwards all is well", async () => {
    const { desk, id } = await opened("--journal", "delete");
    await desk.turn(id, "ours");
    const before = await desk.settled(id, ({ message_count }) => message_count === 12);
    const lock = await pythonHolding(EXCLUSIVE, desk.file);
    const started = performance.now();
    expect((await desk.head(id)).message_count).toBe(before.message_count);
    const headMs = performance.now() - started;
    const page = await desk.page(id);
    // The read has waited for the lock, the poll has not.
    expect(performance.now() - started).toBeGreaterThan(2 * headMs);
    expect(page.store).toBe("locked");
    expect(page.data.map(({ content }) => content)).toEqual(["ours", "answer to ours"]);
    // The list and other sessions go on meanwhile.
    const other = await desk.newSession();
    await desk.start(other, "hello");
    expect(await desk.messages(other)).toHaveLength(1);
    expect((await desk.sessions()).length).toBe(3);
    const undo = await desk.call<{ error: { code: string } }>("POST", `/api/sessions/${id}/undo`, {});
    expect([undo.status, undo.body.error.code]).toEqual([503, "store_unavailable"]);
    expect(undo.headers.get("retry-after")).not.toBeNull();
    expect((await desk.head(id)).message_count).toBe(before.message_count);
    await lock.end();
    await desk.settled(id, ({ message_count, store }) => message_count === 12 && store === "ok");
    await desk.close();
  });

  test("a read waits for a lock that ends: a page, and a copy", async () => {
    const { desk, id } = await opened("--journal", "delete");
    const short = await pythonHolding(EXCLUSIVE, desk.file);
    const page = desk.page(id);
    await desk.head(id);
    await short.end();
    expect(await page).toMatchObject({ store: "ok", data: { length: 10 } });
    // Longer than a poll waits.
    await pythonHolding(EXCLUSIVE.replace("sys.stdin.read()", "time.sleep(.6)"), desk.file);
    expect(await desk.page(id)).toMatchObject({ store: "ok", data: { length: 10 } });
    await desk.close();
  });

  test("a copy that would lack what the file holds is none: 503 before its first byte, and no session", async () => {
    const { desk, id } = await opened("--journal", "delete");
    await desk.turn(id, "ours");
    await desk.settled(id, ({ message_count }) => message_count === 12);
    const { length } = await desk.sessions();
    const lock = await pythonHolding(EXCLUSIVE, desk.file);
    const path = `/api/sessions/${id}`;
    const answers = await Promise.all([
      desk.call<Refusal>("GET", `${path}/export`),
      desk.call<Refusal>("POST", `${path}/fork`, {}),
    ]);
    expect(answers.map(({ status, body }) => [status, body.error?.code])).toEqual(
      answers.map(() => [503, "store_unavailable"]),
    );
    for (const { headers } of answers) {
      expect(headers.get("retry-after")).not.toBeNull();
      expect(headers.get("content-disposition")).toBeNull();
    }
    await lock.end();
    await desk.settled(id, ({ store }) => store === "ok");
    expect(await desk.sessions()).toHaveLength(length);
    await desk.close();
  });

  test("a writer's lock delays our turn, and nobody's reading", async () => {
    const { desk, id } = await opened();
    const lock = await pythonBeside(desk.file, "--hold-lock", "1500");
    const run = await desk.start(id, "patient");
    const finishing = desk.finish(run.id, "done");
    expect((await desk.page(id)).store).toBe("ok");
    await Promise.all([finishing, lock.ended]);
    await desk.settled(id, ({ message_count }) => message_count === 12);
    await eventually("the turn in the file", () =>
      rowsOf(desk.file, "content = 'patient'").length === 1 ? true : undefined,
    );
    expect(idsOf(await desk.messages(id)).slice(-2)).toEqual([`${run.id}-0`, `${run.id}-1`]);
    await desk.close();
  });
});

describe("e.74 a file that cannot be read", () => {
  const cases: [StoreState, (path: string) => void][] = [
    ["missing", (path) => renameSync(path, `${path}.away`)],
    [
      "not_a_state_db",
      (path) => {
        writeFileSync(`${path}.new`, "this is a letter to my grandmother, not a database. ".repeat(200));
        renameSync(`${path}.new`, path);
      },
    ],
    [
      "not_a_state_db",
      (path) => {
        const db = new Database(`${path}.new`);
        db.exec("CREATE TABLE recipes (id INTEGER)");
        db.close();
        renameSync(`${path}.new`, path);
      },
    ],
  ];
  test.each(cases)(
    "%s: the sidecar answers, no count becomes 0, and everything else goes on",
    async (state, spoil) => {
      const { desk, id } = await opened();
      await desk.turn(id, "ours");
      const before = await desk.settled(id, ({ message_count }) => message_count === 12);
      const backup = await backUp(desk.file);
      for (const suffix of ["-wal", "-shm"]) rmSync(desk.file + suffix, { force: true });
      spoil(desk.file);
      await stateIs(desk, id, state);
      // A file that is gone is made again from what we hold, within a second or so.
      const seen = state === "missing" ? [state, "ok"] : [state];
      const head = await desk.head(id);
      expect(head).toMatchObject({ message_count: 12, revision: before.revision });
      const page = await desk.page(id, "?limit=1");
      expect(page).toMatchObject({ data: [{ content: "answer to ours" }] });
      expect(seen).toContain(page.store);
      const older = await desk.page(id, `?limit=5&before=${page.next_cursor}`);
      expect(older.data.map(({ content }) => content)).toEqual(["ours"]);
      expect(older.next_cursor).toBeNull();
      for (const store of await storesOf(desk)) expect(seen).toContain(store.state);
      expect(await desk.sessions()).toHaveLength(2);
      const other = await desk.newSession();
      await desk.start(other, "hello");
      expect(await desk.messages(other)).toHaveLength(1);
      const next = await desk.start(id, "without history");
      const context = await desk.api.transcript.context.contextOf(next.id);
      expect(seen).toContain(context.storeState);
      expect(context.messages.at(-1)?.content).toBe("without history");
      restore(backup, desk.file);
      await stateIs(desk, id, "ok");
      await desk.settled(id, ({ message_count }) => message_count === 13);
      await desk.close();
    },
  );

  test("corrupt: named so, and the rest goes on", async () => {
    const home = newHome(...MAKE, "--journal", "delete");
    const path = join(home, "state.db");
    const [id = ""] = conversationsOf(path);
    const first = await openDesk(home);
    await first.listed(id);
    await first.settled(id);
    await first.close();
    const file = openSync(path, "r+");
    // Everything behind the first page.
    const { size } = fstatSync(file);
    writeSync(file, Buffer.alloc(size - 4096, 0xff), 0, size - 4096, 4096);
    closeSync(file);
    const desk = await openDesk(home);
    await stateIs(desk, id, "corrupt");
    expect(await desk.page(id)).toMatchObject({ store: "corrupt", data: [] });
    expect((await desk.head(id)).message_count).toBe(10);
    const other = await desk.newSession();
    await desk.start(other, "hello");
    expect(await desk.messages(other)).toHaveLength(1);
    await desk.close();
  });

  test("a home without any state.db is no trouble; the first turn makes one", async () => {
    const desk = await openDesk(newHome());
    expect((await storesOf(desk)).every(({ state }) => state === "none")).toBe(true);
    const id = await desk.newSession();
    expect(await desk.head(id)).toMatchObject({ store: "none", message_count: 0 });
    await desk.turn(id, "first");
    await stateIs(desk, id, "ok");
    expect(rowsOf(desk.file)).toHaveLength(2);
    await desk.close();
  });

  test("that comes while we run is taken up", async () => {
    const desk = await openDesk(newHome());
    python(desk.file, ...MAKE);
    const [id = ""] = conversationsOf(desk.file);
    await desk.listed(id);
    await desk.settled(id, ({ message_count }) => message_count === 10);
    await desk.close();
  });
});

test("e.84 two servers over one home: rows are taken in once, and told by one of them", async () => {
  const home = newHome(...MAKE);
  const [first, second] = [await openDesk(home), await openDesk(home)];
  const [id = ""] = conversationsOf(first.file);
  await first.listed(id);
  const before = await first.settled(id);
  await Promise.all([
    pythonBeside(first.file, "--append", id, "15").then(({ ended }) => ended),
    first.turn(id, "from the first"),
  ]);
  await second.turn(id, "from the second");
  for (const desk of [first, second]) {
    await desk.settled(id, ({ message_count }) => message_count === before.message_count + 19);
    idsOf(await desk.messages(id));
  }
  const told = await first.head(id);
  expect((await second.head(id)).revision).toBe(told.revision);
  // The follower goes; the other one takes over.
  await first.close();
  mutate(second.file, "--append", id, "1");
  await second.settled(id, ({ message_count }) => message_count === before.message_count + 20);
  await second.close();
});

test("e.85 a tool result of 40 MB: no list or head reads it, a page gives its beginning, the message all of it", async () => {
  const { desk, id } = await opened();
  const size = 40 * 1024 * 1024;
  alter(
    desk.file,
    `INSERT INTO messages (session_id, role, content, tool_call_id, tool_name, timestamp, active, message_uid)
     VALUES (?, 'tool', 'begin ' || hex(zeroblob(?)), 'call_big', 'terminal', 1799000000, 1, 'big')`,
    id,
    size / 2 - 3,
  );
  await desk.settled(id, ({ message_count }) => message_count === 11);
  const session = await desk.session(id);
  expect(session.last_message?.preview.length).toBeLessThanOrEqual(160);
  await desk.sessions();
  const last = (await desk.page(id, "?limit=3")).data.at(-1);
  expect(last).toMatchObject({ id: "m_big", full_bytes: size, role: "tool" });
  expect(last?.content.length).toBeLessThan(300_000);
  expect(last?.content.startsWith("begin 000")).toBe(true);
  const { status, body } = await desk.call<{ message: Message }>("GET", `/api/sessions/${id}/messages/m_big`);
  expect(status).toBe(200);
  expect(body.message.content).toHaveLength(size);
  expect(body.message.full_bytes).toBeUndefined();
  expect((await desk.call("GET", `/api/sessions/${id}/messages/m_nobody`)).status).toBe(404);
  await desk.close();
});

// The owner of everything is refused nothing.
const unlessRoot = process.getuid?.() === 0 ? test.skip : test;
unlessRoot("a folder that may only be read: shown from there, turns wait in the sidecar", async () => {
  const { desk, id } = await opened("--journal", "delete");
  chmodSync(desk.file, 0o444);
  chmodSync(dirname(desk.file), 0o555);
  try {
    const run = await desk.turn(id, "kept here");
    await desk.settled(id, ({ message_count }) => message_count === 12);
    expect(idsOf(await desk.messages(id)).slice(-2)).toEqual([`${run}-0`, `${run}-1`]);
  } finally {
    chmodSync(dirname(desk.file), 0o755);
    chmodSync(desk.file, 0o644);
  }
  await desk.close();
});
