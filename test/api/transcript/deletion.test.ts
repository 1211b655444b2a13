import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import type { Session } from "../../../common/contracts/session.ts";
import { alter, describeFile, mutate, python } from "../../common/state-db/read-files.ts";
import { eventually } from "../../helpers/wait.ts";
import {
  addProfile,
  backUp,
  conversationsOf,
  type Desk,
  idsOf,
  newHome,
  openDesk,
  openListed,
  restore,
  rowsOf,
  told,
} from "./desk.ts";

let desk: Desk;
let ids: readonly string[];
beforeAll(async () => {
  const home = newHome("--sessions", "6", "--messages", "8", "--multimodal", "0");
  addProfile(home, "work");
  ({ desk, ids } = await openListed(home));
});
afterAll(() => desk.close());

const remove = async (id: string, at: Desk = desk): Promise<void> => {
  const { status } = await at.call("DELETE", `/api/sessions/${id}`);
  expect(status).toBe(204);
};
const isGone = async (id: string, at: Desk = desk): Promise<boolean> =>
  (await at.call("GET", `/api/sessions/${id}`)).status === 404 &&
  !(await at.sessions()).some((session) => session.id === id);
/** Resolves when every change of the file so far was looked at, by a change that comes after them. */
let marks = 0;
const looked = async (at: Desk = desk): Promise<void> => {
  const id = `mark_${++marks}`;
  alter(
    at.file,
    "INSERT INTO sessions (id, source, started_at, message_count) VALUES (?, 'cli', 1795000000, 0)",
    id,
  );
  await at.listed(id);
};
const own = (id: string, where = "1"): readonly Record<string, unknown>[] =>
  rowsOf(desk.file, `session_id = '${id}' AND ${where}`);

describe("e.68 a conversation of another program", () => {
  test("is hidden for ever, its rows stay as they are, also what it goes on with", async () => {
    const [id = ""] = ids;
    const rows = rowsOf(desk.file);
    await remove(id);
    await looked();
    expect(await isGone(id)).toBe(true);
    expect(rowsOf(desk.file)).toEqual(rows);
    mutate(desk.file, "--append", id, "2", "--now");
    mutate(desk.file, "--rotate", id);
    await looked();
    expect(await isGone(id)).toBe(true);
    expect((await desk.call("DELETE", `/api/sessions/${id}`)).status).toBe(404);
  });

  test("stays hidden after a restart, by whoever follows the file then", async () => {
    const home = newHome("--sessions", "2", "--messages", "6");
    const first = await openDesk(home);
    const [id = "", other = ""] = conversationsOf(first.file);
    await Promise.all([first.listed(id), first.listed(other)]);
    await remove(id, first);
    await first.close();
    python(first.file, "--append", id, "2");
    const second = await openDesk(home);
    await looked(second);
    expect(await isGone(id, second)).toBe(true);
    expect((await second.settled(other)).message_count).toBe(6);
    await second.close();
  });

  test("with turns of ours in it: those stay, too", async () => {
    const id = ids[1] ?? "";
    await desk.settled(id);
    await desk.turn(id, "ours in theirs");
    const rows = rowsOf(desk.file);
    await remove(id);
    await looked();
    await desk.api.transcript.mirror.settle();
    expect(rowsOf(desk.file)).toEqual(rows);
    expect(await isGone(id)).toBe(true);
  });
});

describe("a session of ours", () => {
  test("is gone from state.db, too", async () => {
    const id = await desk.newSession({ title: "goes" });
    await desk.turn(id, "one");
    await remove(id);
    await eventually("the file without it", () =>
      describeFile(desk.file).sessions.some((session) => session.id === id) ? undefined : true,
    );
    expect(own(id)).toEqual([]);
    await looked();
    expect(await isGone(id)).toBe(true);
  });

  test("rows of others in it stay in the file, and away from here", async () => {
    const id = await desk.newSession();
    await desk.turn(id, "one");
    mutate(desk.file, "--append", id, "2", "--now");
    await desk.turn(id, "two");
    await desk.settled(id, ({ message_count }) => message_count === 6);
    const others = own(
      id,
      "id IN (SELECT id FROM messages WHERE content NOT IN ('one','two','answer to one','answer to two'))",
    );
    expect(others).toHaveLength(2);
    await remove(id);
    await eventually("our rows to go", () => (own(id).length === 2 ? true : undefined));
    expect(own(id)).toEqual(others);
    mutate(desk.file, "--append", id, "1", "--now");
    await looked();
    expect(await isGone(id)).toBe(true);
  });

  test("with a run under way: cancelled, and nothing of it comes into the file", async () => {
    const id = await desk.newSession();
    await desk.turn(id, "one");
    const run = await desk.start(id, "two");
    await remove(id);
    expect((await desk.call("GET", `/api/runs/${run.id}`)).status).toBe(404);
    await eventually("the file without it", () => (own(id).length === 0 ? true : undefined));
    await looked();
    expect(own(id)).toEqual([]);
  });

  test("that is deleted while its turn waits for another writer leaves nothing behind", async () => {
    const id = await desk.newSession();
    await desk.turn(id, "one");
    const run = await desk.start(id, "late");
    python(desk.file, "--describe");
    const finishing = desk.finish(run.id, "later still");
    await remove(id);
    await finishing.catch(() => undefined);
    await eventually("nothing in the file", () => (own(id).length === 0 ? true : undefined));
    await looked();
    expect(own(id)).toEqual([]);
    expect(await isGone(id)).toBe(true);
  });

  test("a fork takes its copies out of the file; the session that it was made from stays whole", async () => {
    const parent = await desk.newSession();
    await desk.turn(parent, "one");
    await desk.settled(parent, ({ store }) => store === "ok");
    const rows = own(parent);
    const { body } = await desk.call<{ session: Session }>("POST", `/api/sessions/${parent}/fork`, {});
    const fork = body.session.id;
    await eventually("the copies in the file", () => (own(fork).length === 2 ? true : undefined));
    await remove(fork);
    await eventually("the file without them", () => (own(fork).length === 0 ? true : undefined));
    expect(own(parent)).toEqual(rows);
    expect((await desk.settled(parent)).message_count).toBe(2);
  });

  test("e.66 the old file or a backup returns: it stays deleted", async () => {
    const home = newHome("--sessions", "1", "--messages", "6");
    const at = await openDesk(home);
    const id = await at.newSession();
    await at.turn(id, "one");
    await at.settled(id, ({ store }) => store === "ok");
    const backup = await backUp(at.file);
    await remove(id, at);
    await eventually("the rows to go", () =>
      rowsOf(at.file, `session_id = '${id}'`).length === 0 ? true : undefined,
    );
    restore(backup, at.file);
    await looked(at);
    expect(await isGone(id, at)).toBe(true);
    await at.close();
  });

  test("e.67 an API client takes the id again: shown with the new rows only", async () => {
    const id = await desk.newSession();
    await desk.turn(id, "old");
    mutate(desk.file, "--append", id, "1", "--now");
    await desk.settled(id, ({ message_count }) => message_count === 3);
    await remove(id);
    await eventually("our rows to go", () => (own(id).length === 1 ? true : undefined));
    python(desk.file, "--delete", id);
    await looked();
    alter(
      desk.file,
      "INSERT INTO sessions (id, source, started_at, message_count) VALUES (?, 'api_server', ?, 0)",
      id,
      Date.now() / 1000 + 1,
    );
    mutate(desk.file, "--append", id, "2", "--now");
    await desk.listed(id);
    await desk.settled(id, ({ message_count }) => message_count === 2);
    expect(told(await desk.messages(id)).join()).not.toContain("old");
    expect(await desk.session(id)).toMatchObject({ source: "api_server" });
  });

  test("made again here under its id shows nothing of the old one", async () => {
    const id = await desk.newSession();
    await desk.turn(id, "old");
    mutate(desk.file, "--append", id, "1", "--now");
    await desk.settled(id, ({ message_count }) => message_count === 3);
    await remove(id);
    await desk.newSession({ id });
    await desk.turn(id, "new");
    await desk.settled(id, ({ message_count }) => message_count === 2);
    expect(told(await desk.messages(id))).toEqual(["user|new|", "assistant|answer to new|"]);
    await eventually("the old rows of ours to go", () =>
      own(id, "active = 1 AND content IN ('old', 'answer to old')").length === 0 ? true : undefined,
    );
    await desk.settled(id, ({ message_count }) => message_count === 2);
  });
});

describe("a conversation that another program deletes", () => {
  test("of theirs goes from the list", async () => {
    const id = ids[2] ?? "";
    await desk.settled(id);
    python(desk.file, "--delete", id);
    await eventually("the list without it", async () => ((await isGone(id)) ? true : undefined));
  });

  test("of ours stays as an empty session, to be continued", async () => {
    const id = await desk.newSession({ title: "keeps its name" });
    await desk.turn(id, "one");
    await desk.settled(id, ({ store }) => store === "ok");
    const events = await desk.events(id);
    python(desk.file, "--delete", id);
    await events.until(({ reason, session }) => reason === "external" && session.message_count === 0);
    events.drop();
    await desk.settled(id, ({ message_count }) => message_count === 0);
    expect(await desk.session(id)).toMatchObject({
      ...{ title: "keeps its name", message_count: 0, last_message: null },
    });
    const run = await desk.turn(id, "two");
    await desk.settled(id, ({ message_count }) => message_count === 2);
    expect(idsOf(await desk.messages(id))).toEqual([`${run}-0`, `${run}-1`]);
  });

  test("takes our turn with it that nobody had counted yet", async () => {
    const id = ids[4] ?? "";
    await desk.settled(id);
    await desk.turn(id, "one", [
      { role: "assistant", content: "two", status: "complete" },
      { role: "notice", content: "stays here", status: "cancelled" },
    ]);
    alter(desk.file, "DELETE FROM messages WHERE session_id = ?", id);
    alter(desk.file, "UPDATE sessions SET message_count = 0 WHERE id = ?", id);
    await desk.settled(id, ({ message_count }) => message_count === 1);
    expect(told(await desk.messages(id))).toEqual(["notice|stays here|"]);
  });

  test("of ours that shows nothing of it changes nothing that people see", async () => {
    const id = await desk.newSession();
    await desk.turn(id, "one");
    await desk.call("POST", `/api/sessions/${id}/clear`, {});
    const { revision } = await desk.settled(id, ({ message_count }) => message_count === 0);
    python(desk.file, "--delete", id);
    await looked();
    await eventually("the session without the conversation", async () =>
      (await desk.head(id)).store === "none" ? true : undefined,
    );
    expect((await desk.head(id)).revision).toBe(revision);
  });

  test("whose rows alone are deleted stays, empty, and what comes then is shown", async () => {
    const id = ids[3] ?? "";
    await desk.settled(id);
    python(desk.file, "--clear", id);
    await desk.settled(id, ({ message_count }) => message_count === 0);
    expect(await desk.session(id)).toMatchObject({ message_count: 0, last_message: null, unread_count: 0 });
    mutate(desk.file, "--append", id, "2");
    await desk.settled(id, ({ message_count }) => message_count === 2);
  });
});
