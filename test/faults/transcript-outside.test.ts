import { afterAll, afterEach, beforeAll, describe, expect, test } from "@jest/globals";
import { Redis } from "ioredis";
import { type Deployment, startDeployment } from "../helpers/deployment.ts";
import { appendOutside, holdLock, readDb, rowsOf } from "../helpers/outside.ts";
import type { TestProcess } from "../helpers/process.ts";
import { followSession, type SessionFollower } from "../helpers/session-follower.ts";
import {
  allMessages,
  expectSettled,
  expectTruth,
  line,
  runToEnd,
  sentTo,
  sidecar,
  stateDb,
} from "../helpers/truth.ts";
import { eventually, within } from "../helpers/wait.ts";

/** Another program appends to state.db (session-reconciliation d; e.76, e.77, e.84). */
describe("rows of other programs", () => {
  let d: Deployment;
  let worker: TestProcess;
  const followers: SessionFollower[] = [];
  beforeAll(async () => {
    d = await startDeployment();
    worker = await d.startWorker();
  });
  afterEach(() => {
    for (const follower of followers.splice(0)) follower.close();
  });
  afterAll(() => d.close());

  const follow = async (sessionId: string): Promise<SessionFollower> => {
    const follower = await followSession(() => d.url(), sessionId);
    followers.push(follower);
    return follower;
  };
  const isExternal = ({ event, data }: { event: string; data: Record<string, unknown> }): boolean =>
    event === "session_changed" && data.reason === "external";
  /** A session with one turn, so that state.db knows it. */
  const begin = async (): Promise<string> => {
    const { id } = await d.createSession();
    await runToEnd(d, id, "first [[fake tokens=3]]");
    return id;
  };
  const textsOf = (sessionId: string, ids: readonly number[]): readonly string[] =>
    rowsOf(stateDb(d), sessionId)
      .filter(({ id }) => ids.includes(id))
      .map(line);

  test("appended while nothing runs: the next request holds them once and in order, then our prompt, once", async () => {
    const id = await begin();
    const before = rowsOf(stateDb(d), id).map(line);
    const ids = await appendOutside(stateDb(d), id, 4);
    await runToEnd(d, id, "second [[fake tokens=4]]");
    expect(sentTo(d)).toEqual([...before, ...textsOf(id, ids), "user: second [[fake tokens=4]]"]);
    const messages = await expectTruth(d, id);
    expect(messages).toHaveLength(8);
    expect(messages.slice(2, 6).map(({ run_id, origin }) => [run_id, origin])).toEqual(
      Array.from({ length: 4 }, () => [null, "external"]),
    );
  });

  test("appended in the same moment as a run starts: never skipped, never twice", async () => {
    const id = await begin();
    const before = rowsOf(stateDb(d), id).map(line);
    const appending = appendOutside(stateDb(d), id, 2, "--per-commit", "2");
    await runToEnd(d, id, "meanwhile [[fake tokens=4]]");
    const first = sentTo(d);
    const outside = textsOf(id, await appending);
    await runToEnd(d, id, "after [[fake tokens=4]]");
    const prompt = "user: meanwhile [[fake tokens=4]]";
    expect([
      [...before, prompt],
      [...before, ...outside, prompt],
    ]).toContainEqual(first);
    const after = (await expectTruth(d, id)).map(line);
    expect(sentTo(d)).toEqual(after.slice(0, -1));
    expect(after).toEqual(expect.arrayContaining([...outside]));
  });

  test("appended during a run: not in its request, told to followers, in the transcript by row id, in the next request", async () => {
    const id = await begin();
    const session = await follow(id);
    const run = await d.startRun(id, "long [[fake tokens=40 rate=25]]");
    const follower = d.follow(run.id);
    await follower.until(({ event }) => event === "token");
    const ids = await appendOutside(stateDb(d), id, 2);
    expect((await d.getRun(run.id)).status).toBe("running");
    const told = await within("session_changed external", session.until(isExternal), 6_000);
    expect(told.data).toMatchObject({ reason: "external", origin: "external" });
    await follower.ended;
    const outside = textsOf(id, ids);
    expect(sentTo(d)).toHaveLength(3);
    const messages = await expectTruth(d, id);
    // Our turn was committed after them.
    expect(messages.slice(2, 4).map(line)).toEqual(outside);
    await runToEnd(d, id, "next [[fake tokens=3]]");
    expect(sentTo(d)).toEqual([...messages.map(line), "user: next [[fake tokens=3]]"]);
  });

  test("worker killed after an append: the second attempt sees what the first one saw, the next run sees the rows", async () => {
    const id = await begin();
    await appendOutside(stateDb(d), id, 2);
    const run = await d.startRun(id, "killed [[fake tokens=60 rate=25]]");
    const follower = d.follow(run.id);
    await follower.until(({ event }) => event === "token");
    const first = sentTo(d);
    const ids = await appendOutside(stateDb(d), id, 2);
    await worker.kill();
    worker = await d.startWorker();
    await within("the run ends", follower.ended, 20_000);
    expect((await d.getRun(run.id)).attempt).toBe(2);
    expect(sentTo(d)).toEqual(first);
    expect(first).toHaveLength(5);
    const messages = await expectTruth(d, id);
    expect(messages.map(line)).toEqual(expect.arrayContaining([...textsOf(id, ids)]));
    await runToEnd(d, id, "next [[fake tokens=3]]");
    expect(sentTo(d)).toEqual([...messages.map(line), "user: next [[fake tokens=3]]"]);
  });

  test("worker killed while the turn before waits for a locked state.db: the second attempt sees that turn once", async () => {
    const id = await begin();
    const lock = holdLock(stateDb(d));
    try {
      await runToEnd(d, id, "waits [[fake tokens=4]]");
      const before = (await allMessages(d, id)).map(line);
      expect(before).toHaveLength(4);
      const run = await d.startRun(id, "killed [[fake tokens=60 rate=25]]");
      const follower = d.follow(run.id);
      await follower.until(({ event }) => event === "token");
      const first = sentTo(d);
      expect(first).toEqual([...before, "user: killed [[fake tokens=60 rate=25]]"]);
      lock.end();
      await worker.kill();
      await eventually("the turn is in state.db", () => rowsOf(stateDb(d), id).length === 4);
      worker = await d.startWorker();
      await within("the run ends", follower.ended, 20_000);
      expect(sentTo(d)).toEqual(first);
      await expectTruth(d, id);
    } finally {
      lock.end();
    }
  });

  test("the process that follows the file is killed: another one follows it, and tells each append once", async () => {
    const id = await begin();
    const session = await follow(id);
    const holder = (): string =>
      readDb(sidecar(d), (db) =>
        String(db.prepare("select holder from leases where name = 'mirror:default'").pluck().get()),
      );
    // Two at once: whoever finds the rows first, they are told once.
    await appendOutside(stateDb(d), id, 2, "--per-commit", "2");
    await within("the first append is told", session.until(isExternal), 6_000);
    const killedAt = performance.now();
    const leader = holder();
    if (leader.startsWith("api-")) await d.api.kill();
    else await worker.kill();
    await appendOutside(stateDb(d), id, 2, "--per-commit", "2");
    if (leader.startsWith("api-")) await d.startApi();
    const count = (n: number) => (frame: { event: string; data: Record<string, unknown> }) =>
      isExternal(frame) && (frame.data.session as { message_count: number }).message_count === n;
    await within("the append is told", session.until(count(6)), 6_500);
    expect(performance.now() - killedAt).toBeLessThan(10_000);
    if (!leader.startsWith("api-")) worker = await d.startWorker();
    await eventually("somebody else leads", () => holder() !== leader);
    // Both processes live, and each append still makes one entry.
    await appendOutside(stateDb(d), id, 2, "--per-commit", "2");
    await within("the third append is told", session.until(count(8)), 6_000);
    await expectSettled(d);
    expect(
      session
        .changes("external")
        .map(({ data }) => (data.session as { message_count: number }).message_count),
    ).toEqual([4, 6, 8]);
    await expectTruth(d, id);
  });

  test("a leader that only sleeps: the two that follow the file then tell nothing twice", async () => {
    const id = await begin();
    const session = await follow(id);
    // The api answers the follower, so the worker sleeps; it need not be the leader for the rest to hold.
    worker.signal("SIGSTOP");
    const counts = () =>
      session
        .changes("external")
        .map(({ data }) => (data.session as { message_count: number }).message_count);
    await appendOutside(stateDb(d), id, 2, "--per-commit", "2");
    await within("the append is told", session.until(isExternal), 7_000);
    worker.signal("SIGCONT");
    const ids = await appendOutside(stateDb(d), id, 5);
    const isWhole = () => (counts().at(-1) ?? 0) === 4 + ids.length;
    await within("the last append is told", session.until(isWhole), 6_000);
    await expectSettled(d);
    expect(counts()).toEqual([...new Set(counts())]);
    await expectTruth(d, id);
  });

  test("Redis emptied, then killed, while rows come: told again under new ids, and followers end with the same transcript", async () => {
    const id = await begin();
    const session = await follow(id);
    const appending = appendOutside(stateDb(d), id, 12, "--interval-ms", "150");
    await within("an append is told", session.until(isExternal), 6_000);
    const admin = new Redis(d.redis.url);
    await admin.flushall();
    await admin.quit();
    await d.redis.kill();
    await d.restartRedis();
    const ids = await appending;
    await appendOutside(stateDb(d), id, 2, "--per-commit", "2");
    await expectSettled(d);
    const total = 2 + ids.length + 2;
    const isTotal = (frame: { event: string; data: Record<string, unknown> }) =>
      (frame.data.session as { message_count?: number } | undefined)?.message_count === total;
    await within("followers know all of it", session.until(isTotal), 15_000);
    const given = session.frames.flatMap(({ id: frameId }) => frameId ?? []);
    expect(new Set(given).size).toBe(given.length);
    const seqs = given.map((frameId) => Number(frameId.split("-")[0]));
    expect(seqs).toEqual([...seqs].sort((a, b) => a - b));
    expect(await expectTruth(d, id)).toHaveLength(total);
    await runToEnd(d, id, "after [[fake tokens=3]]");
    expect(sentTo(d)).toHaveLength(total + 1);
  });
});
