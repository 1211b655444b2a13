import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import Database from "better-sqlite3";
import { alter, describeFile, mutate, python } from "../../common/state-db/read-files.ts";
import { eventually } from "../../helpers/wait.ts";
import { type Desk, idsOf, newHome, openDesk, openListed, rowsOf, told } from "./desk.ts";

let desk: Desk;
let ids: readonly string[];
beforeAll(async () => {
  ({ desk, ids } = await openListed(newHome("--sessions", "6", "--messages", "20", "--multimodal", "0")));
});
afterAll(() => desk.close());

let used = 0;
const fresh = async (): Promise<string> => {
  const id = ids[used++] ?? "";
  await desk.settled(id);
  return id;
};
const contextOf = async (id: string) => {
  const run = await desk.start(id, "and now");
  const { raw } = await desk.api.transcript.context.contextOf(run.id);
  await desk.call("POST", `/api/runs/${run.id}/cancel`, {});
  // Without the results that are made up for calls that have none.
  return raw.flatMap(({ id, message }) => (id === null ? [] : [message]));
};

describe("e.61 in-place compaction", () => {
  test("changes neither the transcript nor its count nor its revision; the model's history shrinks", async () => {
    const id = await fresh();
    const before = await desk.messages(id);
    const { revision, message_count } = await desk.settled(id);
    python(desk.file, "--compact", id, "4");
    // Told after it, so that the compaction was looked at.
    const other = ids[5] ?? "";
    mutate(desk.file, "--append", other, "1");
    await desk.settled(other);
    await eventually("the compacted rows to be counted", async () => {
      const row = await desk.api.db.read.sessionRow(id);
      return row?.store_cursor === rowsOf(desk.file, `session_id = '${id}'`).at(-1)?.id ? true : undefined;
    });
    expect(await desk.settled(id)).toMatchObject({ revision, message_count });
    const after = await desk.messages(id);
    expect(told(after)).toEqual(told(before));
    expect(idsOf(after)).toEqual(idsOf(before));
    const active = describeFile(desk.file).sessions.find((one) => one.id === id)?.active ?? 0;
    expect(active).toBeLessThan(8);
    expect(await contextOf(id)).toHaveLength(active + 1);
  });

  test("of a conversation with our turns keeps their ids; each is still found by its id", async () => {
    const id = await desk.newSession();
    const first = await desk.turn(id, "one");
    const second = await desk.turn(id, "two");
    await desk.settled(id, ({ store }) => store === "ok");
    const events = await desk.events(id);
    const { revision } = await desk.head(id);
    python(desk.file, "--compact", id, "2");
    mutate(desk.file, "--append", id, "1", "--now");
    await desk.settled(id, ({ message_count }) => message_count === 5);
    const messages = await desk.messages(id);
    expect(idsOf(messages).slice(0, 4)).toEqual([`${first}-0`, `${first}-1`, `${second}-0`, `${second}-1`]);
    await events.until(({ session }) => session.message_count === 5);
    expect(
      events.changes().map(({ reason, session }) => [reason, session.revision, session.message_count]),
    ).toEqual([["external", revision + 1, 5]]);
    events.drop();
    for (const { id: message, content } of messages) {
      const { status, body } = await desk.call<{ message: { content: string } }>(
        "GET",
        `/api/sessions/${id}/messages/${message}`,
      );
      expect([message, status, body.message?.content]).toEqual([message, 200, content]);
    }
  });
});

describe("e.62 rotation", () => {
  test("goes on under the same address, in one list entry; runs go to the new segment", async () => {
    const id = await fresh();
    await desk.call("PATCH", `/api/sessions/${id}`, { title: "my name for it", pinned: true });
    const before = await desk.messages(id);
    const { revision } = await desk.settled(id);
    const listed = (await desk.sessions()).length;
    const { child } = mutate(desk.file, "--rotate", id);
    mutate(desk.file, "--append", String(child), "2", "--per-commit", "2", "--now");
    await desk.settled(id, ({ message_count }) => message_count === before.length + 2);
    const after = await desk.messages(id);
    expect(told(after).slice(0, before.length)).toEqual(told(before));
    expect(idsOf(after).slice(0, before.length)).toEqual(idsOf(before));
    expect((await desk.head(id)).revision).toBeGreaterThan(revision);
    expect(await desk.sessions()).toHaveLength(listed);
    expect(await desk.session(id)).toMatchObject({ title: "my name for it", pinned: true });
    expect((await desk.call("GET", `/api/sessions/${child}`)).status).toBe(404);
    const run = await desk.turn(id, "goes to the tip");
    await desk.settled(id, ({ message_count }) => message_count === before.length + 4);
    expect(rowsOf(desk.file, `session_id = '${child}'`).at(-1)?.content).toBe("answer to goes to the tip");
    expect(idsOf(await desk.messages(id)).slice(-2)).toEqual([`${run}-0`, `${run}-1`]);
    // Only the tip feeds the model.
    const active = describeFile(desk.file).sessions.find((one) => one.id === child)?.active ?? 0;
    expect(await contextOf(id)).toHaveLength(active + 1);
  });

  test("a turn of ours that meets a rotation goes to the new segment", async () => {
    const id = await desk.newSession();
    await desk.turn(id, "before");
    await desk.settled(id, ({ store }) => store === "ok");
    const run = await desk.start(id, "meanwhile");
    const { child } = mutate(desk.file, "--rotate", id);
    await desk.finish(run.id, "in the new one");
    await desk.settled(id, ({ message_count }) => message_count === 4);
    expect((await desk.messages(id)).map(({ content }) => content)).toEqual([
      "before",
      "answer to before",
      "meanwhile",
      "in the new one",
    ]);
    expect(rowsOf(desk.file, `session_id = '${child}'`).at(-1)?.content).toBe("in the new one");
  });

  test("undo across a rotation takes the prompt away wherever it stands, for good", async () => {
    const id = await fresh();
    const { child } = mutate(desk.file, "--rotate", id);
    mutate(desk.file, "--append", String(child), "1", "--now");
    await desk.settled(id);
    const before = await desk.messages(id);
    const prompts = before.flatMap(({ role }, at) => (role === "user" ? [at] : []));
    const keep = prompts.at(-2) ?? 0;
    await desk.call("POST", `/api/sessions/${id}/undo`, { turns: 2 });
    expect(told(await desk.messages(id))).toEqual(told(before.slice(0, keep)));
    python(desk.file, "--rotate", String(child));
    await desk.settled(id, ({ message_count }) => message_count === keep);
    expect(told(await desk.messages(id))).toEqual(told(before.slice(0, keep)));
    const context = await contextOf(id);
    expect(told(context).filter((line) => told(before.slice(keep)).includes(line))).toEqual([]);
  });

  test("e.63 two rotations at once: one is the conversation, the other is listed by itself", async () => {
    const id = await fresh();
    const { message_count } = await desk.settled(id);
    const { child } = mutate(desk.file, "--rotate", id);
    alter(
      desk.file,
      `INSERT INTO sessions (id, source, started_at, parent_session_id, message_count)
       SELECT 'sibling', source, started_at, parent_session_id, 0 FROM sessions WHERE id = ?`,
      child,
    );
    mutate(desk.file, "--append", "sibling", "2", "--now");
    mutate(desk.file, "--append", String(child), "3", "--now");
    await desk.settled(id, (head) => head.message_count > message_count);
    const other = [child, "sibling"].map(String);
    const separate = await eventually("the other one in the list", async () =>
      (await desk.sessions()).find((session) => other.includes(session.id)),
    );
    await desk.settled(separate.id);
    expect((await desk.sessions()).filter((session) => other.includes(session.id))).toHaveLength(1);
  });

  test("e.64 a circle of parents in the file ends; its sessions are read", async () => {
    const home = newHome("--sessions", "0", "--lineage", "1", "--lineage-depth", "2", "--messages", "6");
    const [root, , tip] = describeFile(`${home}/state.db`).sessions;
    alter(`${home}/state.db`, "UPDATE sessions SET parent_session_id = ? WHERE id = ?", tip?.id, root?.id);
    alter(`${home}/state.db`, "UPDATE sessions SET end_reason = 'compression' WHERE id = ?", tip?.id);
    const other = await openDesk(home);
    const found = await eventually("an entry", async () => (await other.sessions())[0]);
    expect(await other.sessions()).toHaveLength(1);
    const { message_count } = await other.settled(found.id);
    expect(message_count).toBeGreaterThan(0);
    await other.close();
  });

  test("a long chain is one entry with all of its messages, at every page size", async () => {
    const home = newHome("--sessions", "0", "--lineage", "1", "--lineage-depth", "24", "--messages", "6");
    const other = await openDesk(home);
    const found = await eventually("an entry", async () => (await other.sessions())[0]);
    const { message_count } = await other.settled(found.id);
    expect(message_count).toBeGreaterThan(60);
    const all = await other.messages(found.id, 200);
    idsOf(all);
    for (const limit of [1, 3, 50]) expect(told(await other.messages(found.id, limit))).toEqual(told(all));
    await other.close();
  });
});

test("rows that are deleted and written again under new ids are the same messages", async () => {
  const id = await fresh();
  const before = await desk.messages(id);
  const { message_count } = await desk.settled(id);
  python(desk.file, "--replace", id);
  mutate(desk.file, "--append", id, "1");
  await desk.settled(id, (head) => head.message_count === message_count + 1);
  expect(idsOf(await desk.messages(id)).slice(0, message_count)).toEqual(idsOf(before));
  // Even where there is only one.
  const lonely = await desk.newSession();
  const run = await desk.start(lonely, "alone");
  await desk.finish(run.id, []);
  await desk.settled(lonely, ({ store }) => store === "ok");
  const db = new Database(desk.file);
  db.transaction(() => {
    // In one commit, so that nobody looks in between: the row under a new id, and a later one.
    const columns = "session_id, role, content, active, message_uid";
    const [row] = rowsOf(desk.file, `session_id = '${lonely}'`);
    db.prepare("DELETE FROM messages WHERE session_id = ?").run(lonely);
    const add = db.prepare(`INSERT INTO messages (${columns}, timestamp) VALUES (?, ?, ?, 1, ?, ?)`);
    add.run(lonely, row?.role, row?.content, row?.message_uid, row?.timestamp);
    add.run(lonely, "assistant", "and an answer", "f".repeat(32), Number(row?.timestamp) + 5);
  })();
  db.close();
  await desk.settled(lonely, (head) => head.message_count === 2);
  expect(idsOf(await desk.messages(lonely))[0]).toBe(`${run.id}-0`);
});

test("a row that is rewritten in place shows the store's text under the same id", async () => {
  const id = ids[5] ?? "";
  const before = await desk.messages(id);
  mutate(desk.file, "--rewrite", id, "3");
  const after = await desk.messages(id);
  expect(after[2]?.content).toBe(`${before[2]?.content} (edited)`);
  expect(idsOf(after)).toEqual(idsOf(before));
});
