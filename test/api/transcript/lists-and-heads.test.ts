import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import type { Session } from "../../../common/contracts/session.ts";
import { alter, mutate } from "../../common/state-db/read-files.ts";
import { eventually } from "../../helpers/wait.ts";
import { addProfile, type Desk, newHome, openListed, type Refusal } from "./desk.ts";

let desk: Desk;
let ids: readonly string[];
beforeAll(async () => {
  const home = newHome("--sessions", "7", "--messages", "8");
  addProfile(home, "work", "--sessions", "2", "--messages", "4", "--seed", "5");
  ({ desk, ids } = await openListed(home));
  await eventually("the other profile's", async () =>
    (await desk.sessions("&profile=work")).length === 2 ? true : undefined,
  );
});
afterAll(() => desk.close());

describe("the list", () => {
  test("is in the order of activity, whoever is active; a page each", async () => {
    const id = ids[2] ?? "";
    mutate(desk.file, "--append", id, "1", "--now");
    await eventually("the active one in front", async () =>
      (await desk.sessions())[0]?.id === id ? true : undefined,
    );
    const all = (await desk.sessions()).map((session) => session.id);
    const paged: string[] = [];
    for (let cursor: string | null = ""; cursor !== null; ) {
      const at: string = cursor === "" ? "" : `&cursor=${cursor}`;
      const { body } = await desk.call<{ data: Session[]; next_cursor: string | null }>(
        "GET",
        `/api/sessions?limit=2${at}`,
      );
      paged.push(...body.data.map((session) => session.id));
      cursor = body.next_cursor;
    }
    expect(paged).toEqual(all);
  });

  test("by source, profile and archived", async () => {
    const all = await desk.sessions();
    for (const source of new Set(all.map((session) => session.source)))
      expect((await desk.sessions(`&source=${source}`)).map(({ id }) => id)).toEqual(
        all.filter((session) => session.source === source).map(({ id }) => id),
      );
    expect((await desk.sessions("&profile=work")).every(({ profile }) => profile === "work")).toBe(true);
    expect(await desk.sessions("&source=nobody")).toEqual([]);
    const id = ids[3] ?? "";
    await desk.call("PATCH", `/api/sessions/${id}`, { archived: true });
    expect((await desk.sessions("&archived=true")).map((session) => session.id)).toEqual([id]);
    expect((await desk.sessions("&archived=false")).some((session) => session.id === id)).toBe(false);
    // Ours stands, whatever the file says.
    mutate(desk.file, "--append", id, "1");
    await desk.settled(id);
    expect((await desk.session(id)).archived).toBe(true);
  });

  test("by words of the title and of messages, of others and of us", async () => {
    const id = ids[4] ?? "";
    alter(
      desk.file,
      "INSERT INTO messages (session_id, role, content, timestamp, active) VALUES (?, 'user', 'about the bassoon', 1798000000, 1)",
      id,
    );
    const own = await desk.newSession({ title: "Bassoon 100%_sure" });
    await eventually("both", async () => {
      const found = new Set((await desk.sessions("&q=bassoon")).map((session) => session.id));
      return found.size === 2 && found.has(id) && found.has(own) ? true : undefined;
    });
    expect((await desk.sessions(`&q=${encodeURIComponent("100%_")}`)).map((session) => session.id)).toEqual([
      own,
    ]);
    expect(await desk.sessions("&q=bassoon&profile=work")).toEqual([]);
    expect(await desk.sessions("&q=nowhere-to-be-found")).toEqual([]);
    expect(Array.isArray(await desk.sessions("&q="))).toBe(true);
  });

  test("refuses what is none of its queries", async () => {
    for (const query of [
      "limit=0",
      "limit=201",
      "limit=x",
      "archived=maybe",
      "profile=../x",
      "cursor=nonsense",
      "sort=up",
    ]) {
      const { status, body } = await desk.call<Refusal>("GET", `/api/sessions?${query}`);
      expect([query, status, body.error.code]).toEqual([query, 400, "invalid_request"]);
    }
  });

  test("last_message, unread_count and read", async () => {
    const id = ids[5] ?? "";
    const { message_count } = await desk.settled(id);
    alter(
      desk.file,
      "INSERT INTO messages (session_id, role, content, timestamp, active) VALUES (?, 'assistant', ?, 1798000001, 1)",
      id,
      `  first\n\nline   of ${"many ".repeat(100)}`,
    );
    await desk.settled(id, (head) => head.message_count === message_count + 1);
    const session = await desk.session(id);
    expect(session).toMatchObject({ unread_count: 1, last_message: { role: "assistant" } });
    expect(session.last_message?.preview).toMatch(/^first line of many many/);
    expect(session.last_message?.preview.length).toBeLessThanOrEqual(160);
    const { status, body } = await desk.call<{ session: Session }>("POST", `/api/sessions/${id}/read`, {});
    expect([status, body.session.unread_count]).toEqual([200, 0]);
    // Reading is no change that a poller has to fetch messages for.
    expect((await desk.head(id)).revision).toBe(session.revision);
    expect((await desk.session(id)).unread_count).toBe(0);
    expect((await desk.call("POST", "/api/sessions/nobody/read", {})).status).toBe(404);
    expect((await desk.call("POST", `/api/sessions/${id}/read`, { more: 1 })).status).toBe(400);
  });
});

describe("heads", () => {
  test.each([
    ["one", (id: string) => `/api/sessions/${id}/head`],
    ["many", (id: string) => `/api/sessions/heads?ids=${id},${ids[0]}`],
  ])(
    "%s: 304 while nothing changed, also after a heartbeat; another tag after a row of others",
    async (_what, path) => {
      const id = ids[6] ?? "";
      const { message_count } = await desk.settled(id);
      const first = await desk.call("GET", path(id));
      const tag = first.headers.get("etag") ?? "";
      expect(tag).not.toBe("");
      const same = () => desk.call("GET", path(id), undefined, { "if-none-match": tag });
      expect((await same()).status).toBe(304);
      alter(desk.file, "UPDATE sessions SET last_activity_at = last_activity_at + 1 WHERE id = ?", id);
      expect((await same()).status).toBe(304);
      mutate(desk.file, "--append", id, "1");
      await desk.settled(id, (head) => head.message_count === message_count + 1);
      const other = await same();
      expect(other.status).toBe(200);
      expect(other.headers.get("etag")).not.toBe(tag);
    },
  );

  test("name no field of a message, and are refused for what are no ids", async () => {
    const { body } = await desk.call<{ data: object[] }>("GET", `/api/sessions/heads?ids=${ids.join(",")}`);
    expect(body.data).toHaveLength(ids.length);
    for (const query of ["", "ids=", "ids=a%2Fb", `ids=${Array(201).fill("a").join(",")}`])
      expect([query, (await desk.call("GET", `/api/sessions/heads?${query}`)).status]).toEqual([query, 400]);
  });
});

test("cursors and ids of messages that are none of ours are refused in words", async () => {
  const id = ids[0] ?? "";
  const cursor = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString("base64url");
  const bad = [
    "x",
    "%00",
    "a".repeat(513),
    cursor(5),
    cursor([]),
    cursor([1, 2]),
    cursor(["1", 2, 3]),
    cursor([1, null, 3]),
    cursor({ anchor: 1 }),
  ];
  for (const before of bad) {
    const { status, body } = await desk.call<Refusal>("GET", `/api/sessions/${id}/messages?before=${before}`);
    expect([before, status, body.error.code]).toEqual([before, 400, "invalid_request"]);
    expect(body.error.message.length).toBeGreaterThan(10);
  }
  for (const before of [
    cursor([-5, 0, 0]),
    cursor([0, 0, 0]),
    cursor([0.5, -1, 0]),
    cursor([1e300, 1e300, 1e300]),
    cursor([-1, 5, 5]),
    cursor([3, -1, 0]),
  ])
    expect([
      before,
      (await desk.call("GET", `/api/sessions/${id}/messages?before=${before}`)).status,
    ]).toEqual([before, 200]);
  for (const query of ["limit=0", "limit=201", "limit=-1", "limit=1.5", "cursor=x", "before="])
    expect([query, (await desk.call("GET", `/api/sessions/${id}/messages?${query}`)).status]).toEqual([
      query,
      400,
    ]);
  for (const message of [
    "nobody",
    "r_0",
    "r_999999999999999999",
    "m_",
    "m_%2e%2e",
    "b_",
    "b_%%%",
    "r_1%20or%201",
    "x".repeat(500),
  ]) {
    const { status } = await desk.call(
      "GET",
      `/api/sessions/${id}/messages/${message.includes("%%") ? encodeURIComponent(message) : message}`,
    );
    expect([message, status]).toEqual([message, 404]);
  }
  // A message of another session is none of this one.
  const [foreign] = await desk.messages(ids[1] ?? "");
  expect((await desk.call("GET", `/api/sessions/${id}/messages/${foreign?.id}`)).status).toBe(404);
});
