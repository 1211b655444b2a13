import { afterAll, beforeAll, expect, test } from "@jest/globals";
import type { SearchAnswer, SearchHit, StoreInfo } from "../../../common/contracts/http.ts";
import type { Message } from "../../../common/contracts/message.ts";
import { alter, mutate, python } from "../../common/state-db/read-files.ts";
import { eventually } from "../../helpers/wait.ts";
import { addProfile, type Desk, newHome, openListed } from "./desk.ts";

let desk: Desk;
let ids: readonly string[];
beforeAll(async () => {
  const home = newHome("--sessions", "4", "--messages", "10");
  addProfile(home, "work", "--sessions", "1", "--messages", "4", "--seed", "5");
  ({ desk, ids } = await openListed(home));
});
afterAll(() => desk.close());

const search = async (q: string, more = ""): Promise<SearchAnswer> => {
  const { status, body } = await desk.call<SearchAnswer>(
    "GET",
    `/api/search?q=${encodeURIComponent(q)}${more}`,
  );
  if (status !== 200) throw new Error(`${status} ${JSON.stringify(body)}`);
  return body;
};
const hits = (q: string, count: number, more = ""): Promise<readonly SearchHit[]> =>
  eventually(`${count} hits for ${q}`, async () => {
    const { data, indexing } = await search(q, more);
    return data.length === count && !indexing ? data : undefined;
  });
let times = 1_798_000_000;
const say = (id: string, role: string, content: string, path = desk.file): void => {
  alter(
    path,
    `INSERT INTO messages (session_id, role, content, timestamp, active, message_uid)
     VALUES (?, ?, ?, ?, 1, lower(hex(randomblob(16))))`,
    ...[id, role, content, ++times],
  );
};

test("finds messages of others and of us, newest first, with places that fit and ids that can be read", async () => {
  const [id = ""] = ids;
  say(id, "user", "where is the xylophone kept? and <b>why</b>");
  const own = await desk.newSession();
  await desk.turn(own, "a xylophone of ours");
  const found = await hits("xylophone", 4);
  const messages = found.filter(({ message_id }) => message_id !== null);
  // By insertion, as everywhere: clocks of other programs prove nothing.
  expect(messages.map(({ session }) => session.id)).toEqual([own, own, id]);
  for (const hit of messages) {
    for (const [from, to] of hit.matches) expect(hit.snippet.slice(from, to).toLowerCase()).toBe("xylophone");
    const { status, body } = await desk.call<{ message: Message }>(
      "GET",
      `/api/sessions/${hit.session.id}/messages/${hit.message_id}`,
    );
    expect(status).toBe(200);
    expect(body.message.content).toContain("xylophone");
    expect(body.message.role).toBe(hit.role);
  }
});

test("what a cut, a rewind or a deletion took away is not found any more", async () => {
  const [, second = "", third = "", fourth = ""] = ids;
  for (const id of [second, third, fourth]) {
    say(id, "user", "the quokkas are coming");
    say(id, "assistant", "no quokkas today");
  }
  await hits("quokkas", 6);
  await desk.call("POST", `/api/sessions/${second}/undo`, {});
  await hits("quokkas", 4);
  python(desk.file, "--rewind", third, "1");
  await hits("quokkas", 2);
  await desk.call("DELETE", `/api/sessions/${fourth}`);
  await hits("quokkas", 0);
});

test("all words must be there, the last one may be unfinished, quotes make a phrase, signs are harmless", async () => {
  const [id = ""] = ids;
  say(id, "user", "gravel pit near the zeppelin hangar");
  await hits("zeppelin gravel", 1);
  await hits("gravel zepp", 1);
  await hits('"zeppelin hangar"', 1);
  await hits('"hangar zeppelin"', 0);
  await hits("zeppelin submarine", 0);
  for (const q of [
    '"',
    "*",
    "AND",
    "zeppelin OR",
    "NEAR(",
    "a:b",
    "'; drop table messages; --",
    "\u0000",
    "%",
    "週報",
  ])
    expect(Array.isArray((await search(q)).data)).toBe(true);
});

test("in one profile only, titles first, in pages", async () => {
  await desk.call("POST", "/api/sessions", { title: "Marimba lessons" });
  const work = (await desk.sessions("&profile=work"))[0]?.id ?? "";
  say(work, "user", "marimba in the office", desk.fileOf("work"));
  for (let n = 0; n < 5; n++) say(ids[0] ?? "", "user", `marimba number ${n}`);
  const [first] = await hits("marimba", 7);
  expect(first).toMatchObject({
    message_id: null,
    role: null,
    snippet: "Marimba lessons",
    matches: [[0, 7]],
  });
  const there = await hits("marimba", 1, "&profile=work");
  expect(there[0]?.session.profile).toBe("work");
  const seen: (string | null)[] = [];
  for (let cursor: string | null = ""; cursor !== null; ) {
    const page: SearchAnswer = await search("marimba", `&limit=2${cursor === "" ? "" : `&cursor=${cursor}`}`);
    seen.push(...page.data.flatMap(({ message_id }) => message_id ?? []));
    cursor = page.next_cursor;
  }
  expect(seen).toHaveLength(6);
  expect(new Set(seen).size).toBe(6);
});

test("copies that compaction made are found once", async () => {
  const id = await desk.newSession();
  await desk.turn(id, "the ocarina question");
  await desk.turn(id, "next");
  python(desk.file, "--compact", id, "4");
  mutate(desk.file, "--append", id, "1", "--now");
  const found = await hits("ocarina", 3);
  const messages = found.filter(({ message_id }) => message_id !== null);
  expect(new Set(messages.map(({ message_id }) => message_id)).size).toBe(2);
});

test("refuses what is no query", async () => {
  for (const query of [
    "",
    "q=",
    "q=%20",
    `q=${"x".repeat(201)}`,
    "q=x&limit=0",
    "q=x&limit=201",
    "q=x&cursor=nonsense",
    "q=x&profile=../y",
    "q=x&y=1",
  ]) {
    const { status, body } = await desk.call<{ error: { code: string } }>("GET", `/api/search?${query}`);
    expect([query, status, body.error.code]).toEqual([query, 400, "invalid_request"]);
  }
});

test("the stores tell per profile what they hold", async () => {
  const { body } = await desk.call<{ data: StoreInfo[] }>("GET", "/api/stores");
  expect(body.data.map(({ profile, state, newer, version }) => [profile, state, newer, version])).toEqual([
    ["default", "ok", false, 31],
    ["work", "ok", false, 31],
  ]);
});
