import { expect, test } from "@jest/globals";
import type { Outcome } from "../../../common/runs/ledger.ts";
import type { TalariaDb } from "../../../common/talaria-db/open.ts";
import { acceptMessage, withTalariaDb } from "../../helpers/talaria-db.ts";

const done = (content: string): Outcome => ({
  status: "completed",
  messages: [{ role: "assistant", content, status: "complete" }],
  usage: null,
  error: null,
});
const notice = { role: "notice", content: "stopped", status: "cancelled" } as const;

const claim = async (db: TalariaDb, runId: string, maxAttempts = 3) => {
  const result = await db.write.claimRun(runId, "worker-1", "job-1", maxAttempts);
  if (result.kind !== "claimed") throw new Error(`not claimed: ${result.kind}`);
  return result;
};

test("acceptance writes message, run, claim of the session and outbox in one step", () =>
  withTalariaDb(async (db) => {
    const rows: string[] = [];
    db.onOutbox = (given) => rows.push(...given.map((row) => row.kind));
    const { session } = await db.sessions.create({ profile: "default" });
    const run = await acceptMessage(db, session.id, "What is\nthis?");
    expect(rows).toEqual(["announce", "dispatch"]);
    expect(await db.sessions.get(session.id)).toMatchObject({
      active_run_id: run.id,
      message_count: 1,
      title: "What is this?",
      title_source: "provisional",
      revision: 2,
    });
  }));

test("a claim raises attempt and generation, and an older generation changes nothing (C-5)", () =>
  withTalariaDb(async (db) => {
    const { session } = await db.sessions.create({ profile: "default" });
    const run = await acceptMessage(db, session.id);
    const first = await claim(db, run.id);
    const second = await claim(db, run.id);
    expect([first.record.generation, second.record.generation]).toEqual([1, 2]);
    expect(second.record.run.attempt).toBe(2);
    expect((await db.write.commitRun(run.id, 1, done("old"))).kind).toBe("stale");
    await expect(db.write.recordToolStart(run.id, 1, 1, "c", "t")).rejects.toMatchObject({
      code: "stale_generation",
    });
    await expect(db.write.handBack(run.id, 1)).rejects.toMatchObject({ code: "stale_generation" });
    expect((await db.write.commitRun(run.id, 2, done("new"))).kind).toBe("committed");
    expect((await db.write.commitRun(run.id, 2, done("again"))).kind).toBe("stale");
    const messages = await db.read.sidecarBefore(session.id, Number.MAX_SAFE_INTEGER, 0, 10);
    expect(messages.map((message) => message.content)).toEqual(["new", "hello"]);
  }));

test("the next run of a session waits until the end of the one before it was told", () =>
  withTalariaDb(async (db) => {
    const { session } = await db.sessions.create({ profile: "default" });
    const one = await acceptMessage(db, session.id, "one");
    const two = await acceptMessage(db, session.id, "two", "queue");
    expect((await db.write.claimRun(two.id, "w", null, 3)).kind).toBe("not_first");
    const claimed = await claim(db, one.id);
    const result = await db.write.commitRun(one.id, claimed.record.generation, done("1"));
    if (result.kind !== "committed") throw new Error("not committed");
    expect(result.outbox.map((row) => row.kind)).toEqual(["sync", "finish", "dispatch"]);
    expect(await db.write.claimRun(two.id, "w", null, 3)).toEqual({ kind: "finish_first", runId: one.id });
    await db.write.finishDone(one.id, session.id, 7);
    expect((await claim(db, two.id)).minSeq).toBe(7);
  }));

test("attempts without progress are counted, a hand-over and a recorded step are not", () =>
  withTalariaDb(async (db) => {
    const { session } = await db.sessions.create({ profile: "default" });
    const run = await acceptMessage(db, session.id);
    for (let i = 0; i < 5; i++) {
      const { record, exhausted } = await claim(db, run.id, 2);
      expect(exhausted).toBe(false);
      await db.write.handBack(run.id, record.generation);
    }
    const third = await claim(db, run.id, 2);
    const usage = { inputTokens: 1, outputTokens: 1, reasoningTokens: 0, cacheReadTokens: 0 };
    await db.write.recordStep(run.id, third.record.generation, {
      step: 1,
      text: "",
      reasoning: "",
      toolCalls: [],
      usage,
    });
    expect((await claim(db, run.id, 2)).exhausted).toBe(false);
    expect((await claim(db, run.id, 2)).exhausted).toBe(false);
    expect((await claim(db, run.id, 2)).exhausted).toBe(true);
  }));

test("a stop that was accepted wins over an answer that comes later, and no tool starts after it", () =>
  withTalariaDb(async (db) => {
    const { session } = await db.sessions.create({ profile: "default" });
    const run = await acceptMessage(db, session.id);
    const { record } = await claim(db, run.id);
    expect((await db.write.cancelRun(run.id, notice)).kind).toBe("cancelling");
    expect(await db.write.recordToolStart(run.id, record.generation, 1, "c", "t")).toBe("cancelling");
    expect((await db.write.commitRun(run.id, record.generation, done("late"))).kind).toBe("cancelling");
    const ended = await db.write.commitRun(run.id, record.generation, {
      ...done("late"),
      status: "cancelled",
    });
    expect(ended.kind).toBe("committed");
    expect((await db.write.cancelRun(run.id, notice)).kind).toBe("ended");
  }));

test("outbox rows belong to one process until their lease ends", () =>
  withTalariaDb(async (db) => {
    const { session } = await db.sessions.create({ profile: "default" });
    await acceptMessage(db, session.id);
    expect(await db.write.takeOutbox(10)).toEqual([]);
    const { data } = await db.runs.list({ limit: 1 });
    const [row] = await db.write.redispatch([data[0]?.id ?? ""]);
    if (row !== undefined) await db.write.outboxRetry(row, -1);
    const [one, two] = await Promise.all([db.write.takeOutbox(10), db.write.takeOutbox(10)]);
    expect([one.length, two.length]).toEqual([1, 0]);
  }));

test("an outbox row that is armed again while it is told has more to tell: who told it then leaves it", () =>
  withTalariaDb(async (db) => {
    const { session } = await db.sessions.create({ profile: "default" });
    const run = await acceptMessage(db, session.id);
    const [told] = await db.write.redispatch([run.id]);
    const [again] = await db.write.redispatch([run.id]);
    if (told === undefined || again === undefined) throw new Error("nothing was armed");
    expect(again.id).toBe(told.id);
    await db.write.outboxDone([told]);
    await db.write.outboxRetry(told, 3_600);
    await db.write.outboxRetry(again, -1);
    const [taken] = await db.write.takeOutbox(10);
    expect(taken?.id).toBe(again.id);
    await db.write.outboxDone([again]);
    if (taken !== undefined) await db.write.outboxRetry(taken, -1);
    const [rest] = await db.write.takeOutbox(10);
    expect(rest?.id).toBe(taken?.id);
    await db.write.outboxDone([rest ?? taken ?? again]);
    expect(await db.write.takeOutbox(10)).toEqual([]);
  }));

test("calls that share a transaction fail alone", () =>
  withTalariaDb(async (db) => {
    const { session } = await db.sessions.create({ profile: "default" });
    const results = await Promise.allSettled([
      acceptMessage(db, session.id, "a"),
      acceptMessage(db, "unknown"),
      acceptMessage(db, session.id, "b"),
      db.sessions.create({ profile: "default", id: "given" }),
    ]);
    expect(results.map((result) => result.status)).toEqual([
      "fulfilled",
      "rejected",
      "rejected",
      "fulfilled",
    ]);
    expect((results[1] as PromiseRejectedResult).reason).toMatchObject({
      code: "session_not_found",
      status: 404,
    });
    expect((results[2] as PromiseRejectedResult).reason).toMatchObject({ code: "session_busy" });
  }));

test("pages of sessions and messages are stable and complete", () =>
  withTalariaDb(async (db) => {
    const ids: string[] = [];
    for (let i = 0; i < 7; i++) ids.push((await db.sessions.create({ profile: "default" })).session.id);
    const seen: string[] = [];
    let cursor: string | undefined;
    do {
      const page = await db.sessions.list({ limit: 3, cursor });
      seen.push(...page.data.map((session) => session.id));
      cursor = page.next_cursor ?? undefined;
    } while (cursor !== undefined);
    // Sessions of one millisecond have no order of their own; every page agrees on the one they got.
    const { data } = await db.sessions.list({ limit: 50 });
    expect(seen).toEqual(data.map((session) => session.id));
    expect(seen.toSorted()).toEqual(ids.toSorted());
    const times = data.map((session) => session.created_at);
    expect(times).toEqual(times.toSorted((a, b) => b - a));
    await expect(db.sessions.list({ limit: 3, cursor: "nonsense" })).rejects.toMatchObject({
      code: "invalid_request",
    });
  }));

test("delete-then-late-emit: a session made again under a deleted one's id starts above its fence", () =>
  withTalariaDb(async (db) => {
    const { session } = await db.sessions.create({ profile: "default", id: "same" });
    const run = await acceptMessage(db, session.id);
    const old = await claim(db, run.id);
    const removed = await db.write.deleteSession("same");
    expect(removed).toMatchObject({ runIds: [run.id], generation: old.record.generation + 1 });
    expect((await db.write.claimRun(run.id, "w", null, 3)).kind).toBe("gone");
    await db.sessions.create({ profile: "default", id: "same" });
    const next = await claim(db, (await acceptMessage(db, "same")).id);
    expect(next.record.generation).toBeGreaterThan(removed.generation);
    expect(next.minSeq).toBe(0);
  }));
