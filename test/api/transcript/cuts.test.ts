import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import type { Run } from "../../../common/contracts/run.ts";
import type { Session } from "../../../common/contracts/session.ts";
import { alter, describeFile, mutate, pythonBeside } from "../../common/state-db/read-files.ts";
import { eventually } from "../../helpers/wait.ts";
import { type Cut, type Desk, idsOf, newHome, openListed, type Refusal, rowsOf, told } from "./desk.ts";

let desk: Desk;
let ids: readonly string[];
beforeAll(async () => {
  ({ desk, ids } = await openListed(newHome("--sessions", "14", "--messages", "20", "--multimodal", "0")));
});
afterAll(() => desk.close());

let used = 0;
/** A conversation of another program that no test has touched. */
const foreign = async (): Promise<string> => {
  const id = ids[used++] ?? "";
  await desk.settled(id);
  return id;
};
/** One with a turn of ours behind the others' rows, and a row of others behind that. */
const mixed = async (): Promise<{ id: string; runId: string }> => {
  const id = await foreign();
  const runId = await desk.turn(id, "ours");
  mutate(desk.file, "--append", id, "2", "--per-commit", "2", "--now");
  await desk.settled(id, ({ message_count }) => message_count >= 24);
  return { id, runId };
};

const post = <T>(id: string, what: string, body: unknown = {}, headers: Record<string, string> = {}) =>
  desk.call<T>("POST", `/api/sessions/${id}/${what}`, body, headers);
const cut = async (id: string, what: string, body: unknown = {}): Promise<Cut> => {
  const { status, body: answer } = await post<Cut>(id, what, body);
  if (status !== 200) throw new Error(`${what}: ${status} ${JSON.stringify(answer)}`);
  return answer;
};
const contextOf = async (id: string, text = "and now"): Promise<readonly string[]> => {
  const run = await desk.start(id, text);
  const { raw } = await desk.api.transcript.context.contextOf(run.id);
  await desk.call("POST", `/api/runs/${run.id}/cancel`, {});
  // Without the results that are made up for calls that have none.
  return told(raw.flatMap(({ id, message }) => (id === null ? [] : [message])));
};
/** Rows of others in the whole file, byte for byte. */
const othersRows = (runIds: readonly string[] = []): readonly unknown[] => {
  const own = new Set(runIds.flatMap((run) => [`${run}`]));
  return rowsOf(desk.file).filter(
    ({ content, message_uid }) =>
      !own.has(String(message_uid)) && !/ours|and now|answer to/.test(String(content)),
  );
};

describe("undo", () => {
  test("takes the last turn away, here and from the model, and gives the prompt back", async () => {
    const id = await foreign();
    const before = await desk.messages(id);
    const lastPrompt = before.findLastIndex(({ role }) => role === "user");
    const rows = rowsOf(desk.file);
    const events = await desk.events(id);
    const answer = await cut(id, "undo");
    expect(answer).toMatchObject({
      removed_count: before.length - lastPrompt,
      input: before[lastPrompt]?.content,
      session: { message_count: lastPrompt },
    });
    const change = await events.until(({ session }) => session.message_count === lastPrompt);
    expect(change.reason).toBe("cut");
    expect(told(await desk.messages(id))).toEqual(told(before.slice(0, lastPrompt)));
    await desk.settled(id);
    expect(rowsOf(desk.file)).toEqual(rows);
    expect(await contextOf(id)).toHaveLength(lastPrompt + 1);
    events.drop();
  });

  test("with nothing there is 409 nothing_to_undo", async () => {
    const id = await desk.newSession();
    for (const what of ["undo", "retry"]) {
      const { status, body } = await post<Refusal>(id, what);
      expect([status, body.error.code]).toEqual([409, "nothing_to_undo"]);
    }
  });

  test("while a run is unfinished is 409 session_busy with the run", async () => {
    const id = await desk.newSession();
    await desk.turn(id, "first");
    const run = await desk.start(id, "second");
    const [first] = await desk.messages(id);
    const bodies: [string, unknown][] = [
      ["undo", {}],
      ["truncate", { keep_through: first?.id }],
      ["clear", {}],
      ["retry", {}],
      ["edit", { message_id: first?.id, input: "other" }],
    ];
    for (const [what, body] of bodies) {
      const answer = await post<Refusal>(id, what, body);
      expect([what, answer.status, answer.body.error]).toEqual([
        what,
        409,
        expect.objectContaining({ code: "session_busy", details: { active_run_id: run.id } }),
      ]);
    }
    expect(await desk.messages(id)).toHaveLength(3);
    await desk.finish(run.id);
  });

  test("several turns at once; more than there are takes all of them", async () => {
    const id = await desk.newSession();
    for (const text of ["a", "b", "c"]) await desk.turn(id, text);
    expect(await cut(id, "undo", { turns: 2 })).toMatchObject({ removed_count: 4, input: "b" });
    expect(await cut(id, "undo", { turns: 9 })).toMatchObject({ removed_count: 2, input: "a" });
    await desk.settled(id, ({ message_count }) => message_count === 0);
    expect(await desk.messages(id)).toEqual([]);
  });

  test("own rows leave the store's history, rows of others stay as they are", async () => {
    const { id, runId } = await mixed();
    const before = await desk.messages(id);
    const others = othersRows();
    const from = before.findIndex((message) => message.id === `${runId}-0`);
    const keep = before[from - 1]?.id;
    expect(await cut(id, "truncate", { keep_through: keep })).toMatchObject({
      removed_count: before.length - from,
      input: "ours",
    });
    expect(told(await desk.messages(id))).toEqual(told(before.slice(0, from)));
    await eventually("our rows to be inactive", () => {
      const own = rowsOf(desk.file, "content IN ('ours', 'answer to ours')").slice(-2);
      return own.every(({ active }) => active === 0) ? true : undefined;
    });
    expect(othersRows()).toEqual(others);
    await desk.settled(id, ({ message_count }) => message_count === from);
    const context = await contextOf(id);
    expect(context).toHaveLength(from + 1);
    expect(context.join()).not.toContain("ours");
  });

  test("e.58 external run during own undo: rows above the cut appear, older ones do not", async () => {
    const id = await foreign();
    const append = await pythonBeside(desk.file, "--append", id, "12", "--interval-ms", "4");
    const { removed_count, input } = await cut(id, "undo");
    const newest = rowsOf(desk.file, `session_id = '${id}'`).at(-1)?.id;
    await append.ended;
    mutate(desk.file, "--append", id, "2", "--per-commit", "2");
    const rows = rowsOf(desk.file, `session_id = '${id}'`);
    const shown = new Set(
      (
        await eventually("the last row", async () => {
          const messages = await desk.messages(id);
          return messages.at(-1)?.content === rows.at(-1)?.content ? messages : undefined;
        })
      ).map((message) => message.id),
    );
    await desk.settled(id, ({ message_count }) => message_count === shown.size);
    const gone = rows.flatMap((row, at) => (shown.has(`m_${row.message_uid}`) ? [] : [at]));
    // One piece of the conversation, from a prompt on.
    expect(gone).toEqual(gone.map((_at, n) => (gone[0] ?? 0) + n));
    expect(rows[gone[0] ?? 0]).toMatchObject({ role: "user", content: input });
    expect(gone.length).toBeGreaterThanOrEqual(removed_count);
    const last = rows[gone.at(-1) ?? 0];
    expect(Number(last?.id)).toBeLessThanOrEqual(Number(newest));
  });

  test.each([
    ["31", "by uid"],
    ["22", "by what they are"],
  ])(
    "e.59 undo, then an in-place compaction inserts a removed row again (version %s): it stays away %s",
    async (version) => {
      const {
        desk: other,
        ids: [id = ""],
      } = await openListed(newHome("--sessions", "1", "--messages", "20", "--schema-version", version));
      await other.settled(id);
      await other.call("POST", `/api/sessions/${id}/undo`, { turns: 1 });
      const kept = await other.messages(id);
      const { message_count } = await other.settled(id);
      mutate(other.file, "--compact", id, "6");
      mutate(other.file, "--append", id, "2", "--per-commit", "2");
      await other.settled(id, (head) => head.message_count === message_count + 2);
      expect(told(await other.messages(id)).slice(0, kept.length)).toEqual(told(kept));
      await other.close();
    },
  );

  test("of a message that stands in the sidecar only, before it is in state.db", async () => {
    const id = await desk.newSession();
    const run = await desk.start(id, "never sent");
    await desk.call("POST", `/api/runs/${run.id}/cancel`, {});
    expect(await cut(id, "undo")).toMatchObject({ input: "never sent", session: { message_count: 0 } });
    expect(await desk.messages(id)).toEqual([]);
    // What was on its way into state.db does not come back as a message of others.
    await desk.turn(id, "next");
    await desk.settled(id, ({ message_count }) => message_count === 2);
    expect(told(await desk.messages(id))).toEqual(["user|next|", "assistant|answer to next|"]);
    // Nor for other programs.
    await eventually("a history of two rows", () => {
      const rows = rowsOf(desk.file, `session_id = '${id}' AND active = 1`);
      return rows.map(({ content }) => content).join() === "next,answer to next" ? true : undefined;
    });
  });

  test("of a turn that is just being written: its rows go from the store's history when they come", async () => {
    const id = await desk.newSession();
    await desk.turn(id, "stays");
    // Another program writes for a moment, so that our turn has to wait outside.
    const lock = await pythonBeside(desk.file, "--hold-lock", "900");
    const run = await desk.start(id, "goes");
    const finishing = desk.finish(run.id, "goes, too");
    await eventually("the run to end", async () => {
      const { body } = await desk.call<{ run: Run }>("GET", `/api/runs/${run.id}`);
      return body.run.status === "completed" ? true : undefined;
    });
    expect(await cut(id, "undo")).toMatchObject({ input: "goes", removed_count: 2 });
    await Promise.all([finishing, lock.ended]);
    const next = await desk.turn(id, "next");
    await eventually("what others see", () => {
      const rows = rowsOf(desk.file, `session_id = '${id}' AND active = 1`).map(({ content }) => content);
      return rows.join() === "stays,answer to stays,next,answer to next" ? true : undefined;
    });
    await desk.settled(id, ({ message_count }) => message_count === 4);
    expect(idsOf(await desk.messages(id)).slice(2)).toEqual([`${next}-0`, `${next}-1`]);
  });

  test("again and again: nothing that was removed comes back after new turns", async () => {
    const id = await foreign();
    for (let i = 0; i < 4; i++) {
      await cut(id, "undo");
      await desk.turn(id, `ours ${i}`);
      mutate(desk.file, "--append", id, "1", "--now");
    }
    await desk.settled(id);
    const own = (await desk.messages(id)).filter(({ origin }) => origin === "talaria");
    // Each undo takes the newest prompt with what follows: the others' last prompt or our turn.
    const texts = own.map(({ content }) => content);
    expect(new Set(texts).size).toBe(texts.length);
    expect(texts).toContain("ours 3");
  });
});

describe("clear", () => {
  test("takes everything away; a new turn and rows of others after it are shown", async () => {
    const { id } = await mixed();
    const others = othersRows();
    const before = await desk.messages(id);
    const answer = await cut(id, "clear");
    expect(answer).toMatchObject({
      removed_count: before.length,
      input: null,
      session: { message_count: 0 },
    });
    expect(answer.session.last_message).toBeNull();
    expect(await desk.messages(id)).toEqual([]);
    await desk.settled(id);
    expect(othersRows()).toEqual(others);
    await desk.turn(id, "a new beginning");
    mutate(desk.file, "--append", id, "2", "--per-commit", "2", "--now");
    await desk.settled(id, ({ message_count }) => message_count === 4);
    expect(await contextOf(id)).toHaveLength(5);
  });

  test("of an empty session is fine", async () => {
    const id = await desk.newSession();
    expect(await cut(id, "clear")).toMatchObject({ removed_count: 0, session: { message_count: 0 } });
  });
});

describe("truncate", () => {
  test("keeps through the message that is named, and only a message of the session", async () => {
    const id = await foreign();
    const before = await desk.messages(id);
    const at = before.findIndex(({ role }) => role === "assistant");
    const answer = await cut(id, "truncate", { keep_through: before[at]?.id });
    expect(answer.removed_count).toBe(before.length - at - 1);
    expect(answer.input).toBe(before.slice(at + 1).find(({ role }) => role === "user")?.content);
    expect(idsOf(await desk.messages(id))).toEqual(idsOf(before.slice(0, at + 1)));
    // Nothing follows it any more.
    expect(await cut(id, "truncate", { keep_through: before[at]?.id })).toMatchObject({
      removed_count: 0,
      input: null,
    });
    for (const keep_through of ["nobody", "r_999999", "m_x", before.at(-1)?.id]) {
      const { status, body } = await post<Refusal>(id, "truncate", { keep_through });
      expect([keep_through, status, body.error.code]).toEqual([keep_through, 404, "message_not_found"]);
    }
    for (const body of [{}, { keep_through: "" }, { keep_through: 5 }, { keep_through: "x", more: 1 }])
      expect((await post<Refusal>(id, "truncate", body)).status).toBe(400);
  });
});

describe("retry and edit", () => {
  const runsAccepted = async (): Promise<number> => {
    const { body } = await desk.call<string>("GET", "/metrics");
    return Number(/^talaria_runs_accepted_total (\d+)/m.exec(body)?.[1]);
  };

  test("retry sends the last prompt again in its place; rows of others stay", async () => {
    const id = await foreign();
    const before = await desk.messages(id);
    const rows = rowsOf(desk.file);
    const at = before.findLastIndex(({ role }) => role === "user");
    const { status, body, headers } = await post<{ run: Run; events_url: string }>(id, "retry");
    expect(status).toBe(202);
    expect(headers.get("location")).toBe(`/api/runs/${body.run.id}`);
    const { messages } = await desk.api.transcript.context.contextOf(body.run.id);
    expect(messages).toHaveLength(at + 1);
    await desk.finish(body.run.id, "better");
    await desk.settled(id, ({ message_count }) => message_count === at + 2);
    expect(told(await desk.messages(id)).slice(-2)).toEqual([
      `user|${before[at]?.content}|`,
      "assistant|better|",
    ]);
    expect(rowsOf(desk.file).slice(0, rows.length)).toEqual(rows);
  });

  test("retry with the same Idempotency-Key gives the same run and cuts once", async () => {
    const id = await desk.newSession();
    await desk.turn(id, "one");
    await desk.turn(id, "two");
    const key = { "idempotency-key": "retry-1" };
    const first = await post<{ run: Run }>(id, "retry", {}, key);
    const busy = await post<{ run: Run }>(id, "retry", {}, key);
    await desk.finish(first.body.run.id, "again");
    const after = await post<{ run: Run }>(id, "retry", {}, key);
    expect([first, busy, after].map(({ status, body }) => [status, body.run.id])).toEqual(
      Array(3).fill([202, first.body.run.id]),
    );
    await desk.settled(id, ({ message_count }) => message_count === 4);
    expect(told(await desk.messages(id))).toEqual([
      "user|one|",
      "assistant|answer to one|",
      "user|two|",
      "assistant|again|",
    ]);
    const other = await post<Refusal>(id, "retry", { model: "another" }, key);
    expect([other.status, other.body.error.code]).toEqual([422, "idempotency_mismatch"]);
    // Both at once are one as well.
    const counted = await runsAccepted();
    const both = await Promise.all(
      [1, 2].map(() => post<{ run: Run }>(id, "retry", {}, { "idempotency-key": "b" })),
    );
    expect(await runsAccepted()).toBe(counted + 1);
    expect(new Set(both.map(({ status }) => status))).toEqual(new Set([202]));
    expect(new Set(both.map(({ body }) => body.run.id)).size).toBe(1);
  });

  test("edit of a message in the middle: the model gets no removed row", async () => {
    const { id, runId } = await mixed();
    await desk.turn(id, "and now more");
    await desk.settled(id);
    const before = await desk.messages(id);
    const others = othersRows();
    const at = before.slice(0, 10).findLastIndex(({ role }) => role === "user");
    const { status, body } = await post<{ run: Run }>(id, "edit", {
      message_id: before[at]?.id,
      input: "and now edited",
    });
    expect(status).toBe(202);
    const { messages } = await desk.api.transcript.context.contextOf(body.run.id);
    expect(told(messages)).toEqual([
      ...told(before.slice(0, at)).map((line) => expect.stringContaining(line.split("|")[1] ?? "")),
      "user|and now edited|",
    ]);
    await desk.finish(body.run.id, "answer to edited");
    await desk.settled(id, ({ message_count }) => message_count === at + 2);
    const after = await desk.messages(id);
    expect(idsOf(after)).toEqual([...idsOf(before.slice(0, at)), `${body.run.id}-0`, `${body.run.id}-1`]);
    expect(after.some(({ run_id }) => run_id === runId)).toBe(false);
    expect(othersRows()).toEqual(others);
  });

  test("edit takes only a user message of the session", async () => {
    const id = await foreign();
    const messages = await desk.messages(id);
    const answer = messages.find(({ role }) => role === "assistant");
    const wrong = await post<Refusal>(id, "edit", { message_id: answer?.id, input: "x" });
    expect([wrong.status, wrong.body.error.code]).toEqual([400, "invalid_request"]);
    expect(wrong.body.error.details).toEqual([{ path: "message_id", message: expect.any(String) }]);
    const nobody = await post<Refusal>(id, "edit", { message_id: "nobody", input: "x" });
    expect([nobody.status, nobody.body.error.code]).toEqual([404, "message_not_found"]);
    expect(await desk.messages(id)).toHaveLength(messages.length);
  });

  test("of a message with more text than a page gives: all of it is sent", async () => {
    const id = await foreign();
    const long = "word ".repeat(80_000);
    alter(
      desk.file,
      "INSERT INTO messages (session_id, role, content, timestamp, active) VALUES (?, 'user', ?, 1799999999, 1)",
      id,
      long,
    );
    await eventually("the long message", async () =>
      (await desk.messages(id)).at(-1)?.content.startsWith("word") ? true : undefined,
    );
    const { status, body } = await post<{ run: Run }>(id, "retry");
    expect(status).toBe(202);
    const { messages } = await desk.api.transcript.context.contextOf(body.run.id);
    expect(messages.at(-1)?.content).toHaveLength(long.length);
  });
});

test("what other programs see of a cut conversation is a rewind", async () => {
  const id = await desk.newSession();
  await desk.turn(id, "stays");
  await desk.turn(id, "goes");
  const { body } = await post<{ session: Session }>(id, "undo");
  expect(body.session.message_count).toBe(2);
  await eventually("the rewind in the file", () => {
    const session = describeFile(desk.file).sessions.find((one) => one.id === id);
    return session?.active === 2 && session.message_count === 2 ? true : undefined;
  });
});
