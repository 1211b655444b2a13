import { beforeAll, describe, expect, test } from "@jest/globals";
import { SNAPSHOT_SCHEMA, type Snapshot } from "../../../common/contracts/events.ts";
import { follow, newSession, startApi, startRun, type TestApi, withApi } from "../../helpers/api-server.ts";
import { behindNext, keepLog, loseLog } from "../../helpers/house.ts";
import { type PlayedRun, playRun } from "../../helpers/played-run.ts";
import { startRedis } from "../../helpers/redis.ts";

let api: TestApi;
beforeAll(async () => {
  api = await startApi();
});

const eventsOf = (sessionId: string, query = ""): string =>
  `${api.url}/api/sessions/${sessionId}/events${query}`;
const STARTED = { model: "m", profile: "default" };
/** A log of 1-0 session_changed, 2-0 run_queued, 3-1 run_started and 4-1 token. */
const running = async (): Promise<PlayedRun> => {
  const run = playRun(api, await startRun(api));
  await run.claim();
  await run.emit("run_started", STARTED);
  await run.emit("token", { text: "a", step: 1 });
  return run;
};
const snapshotIn = (frame: { event?: string | undefined; data: string } | undefined): Snapshot => {
  expect(frame?.event).toBe("snapshot");
  return SNAPSHOT_SCHEMA.parse(JSON.parse(frame?.data ?? ""));
};

describe("following a session", () => {
  test("R-32: from now, with one snapshot that names the live run and what it has shown", async () => {
    const run = await running();
    const { sessionId, runId } = run;
    const stream = await follow(eventsOf(sessionId));
    const snapshot = snapshotIn((await stream.until(1))[0]);
    expect(snapshot.session.id).toBe(sessionId);
    expect(snapshot.runs).toMatchObject([{ id: runId, status: "running", last_event_id: `${runId}:3` }]);
    expect(snapshot.last_event_id).toBe("4-1");
    expect(snapshot.events).toEqual([
      {
        ...{ event: "run_queued", run_id: runId, run_seq: 1, attempt: 0, position: 0 },
        message: expect.objectContaining({ role: "user", content: "hello", run_id: runId }),
      },
      { event: "run_started", run_id: runId, run_seq: 2, attempt: 1, ...STARTED },
      { event: "token", run_id: runId, run_seq: 3, attempt: 1, text: "a", step: 1 },
    ]);
    await run.emit("token", { text: "b", step: 1 });
    expect((await stream.until(2))[1]).toMatchObject({ id: "5-1", event: "token" });
    stream.drop();
  });

  test("an event that lands while the snapshot is taken comes after it, once", async () => {
    const run = await running();
    const { sessionId } = run;
    const raced = behindNext(api.journal, "head", () => run.emit("token", { text: "raced", step: 1 }));
    const stream = await follow(eventsOf(sessionId));
    const frames = await stream.until(2);
    expect(snapshotIn(frames[0])).toMatchObject({ last_event_id: "4-1", events: { length: 3 } });
    expect(frames[1]).toMatchObject({ id: "5-1" });
    expect(raced()).toBe(true);
    stream.drop();
  });

  test("a run that ends while the snapshot is taken is not torn: its events are there, its end follows", async () => {
    const run = await running();
    const { sessionId } = run;
    const raced = behindNext(api.journal, "head", run.end);
    const stream = await follow(eventsOf(sessionId));
    const frames = await stream.until(3);
    expect(snapshotIn(frames[0])).toMatchObject({ runs: [], events: { length: 3 } });
    expect(frames.slice(1).map(({ event }) => event)).toEqual(["done", "stream_end"]);
    expect(raced()).toBe(true);
    stream.drop();
  });

  test("after a cursor: only what is after it; the greatest one wins", async () => {
    const { sessionId } = await running();
    const stream = await follow(eventsOf(sessionId, "?after=0&last_event_id=2-0"), {
      "last-event-id": "3-1",
    });
    expect((await stream.until(1))[0]).toMatchObject({ id: "4-1", event: "token" });
    stream.drop();
  });

  test.each(["?after=0", "?last_event_id=0"])("%s is from the start", async (query) => {
    const { sessionId } = await running();
    const stream = await follow(eventsOf(sessionId, query));
    expect((await stream.until(4)).map(({ id }) => id)).toEqual(["1-0", "2-0", "3-1", "4-1"]);
    stream.drop();
  });

  test.each(["-1", "abc", "99-1", "2-9", "0x10", "1-1-1", "r_x:1"])(
    "a cursor that names nothing (%s): reset, then a snapshot, nothing skipped",
    async (cursor) => {
      const run = await running();
      const stream = await follow(eventsOf(run.sessionId), { "last-event-id": cursor });
      const frames = await stream.until(2);
      expect(frames[0]).toMatchObject({ event: "reset", id: undefined });
      expect(JSON.parse(frames[0]?.data ?? "")).toEqual({ run_id: null, reason: "unknown_cursor" });
      expect(snapshotIn(frames[1]).events).toHaveLength(3);
      await run.emit("token", { text: "b", step: 1 });
      expect((await stream.until(3))[2]).toMatchObject({ id: "5-1" });
      stream.drop();
    },
  );

  test("R-23 trimmed-journal: an expired cursor, or a start that is not kept, gets a snapshot", async () => {
    const run = await running();
    await run.tokens(10_001);
    for (const query of ["?after=0", "?last_event_id=3-1"]) {
      const stream = await follow(eventsOf(run.sessionId, query));
      expect(snapshotIn((await stream.until(1))[0])).toMatchObject({
        last_event_id: "10005-1",
        events: { length: 10_004 },
      });
      stream.drop();
    }
    // An emptied Redis goes on behind what the database has seen; what stood before is kept nowhere.
    await loseLog(api, run.sessionId);
    await run.claim();
    await run.emit("run_started", STARTED);
    const stream = await follow(eventsOf(run.sessionId, "?last_event_id=1-0"));
    expect(snapshotIn((await stream.until(1))[0])).toMatchObject({
      last_event_id: "3-2",
      events: { length: 1 },
    });
    stream.drop();
  });

  test("a tail lost while somebody follows: reset, a snapshot, and on from there", async () => {
    const run = playRun(api, await startRun(api));
    const loseTail = await keepLog(api, run.sessionId);
    await run.claim();
    await run.emit("run_started", STARTED);
    await run.tokens(1);
    const stream = await follow(eventsOf(run.sessionId, "?after=0"));
    await stream.until(4);
    await loseTail();
    const frames = await stream.until(6);
    expect(JSON.parse(frames[4]?.data ?? "")).toEqual({ run_id: null, reason: "lost_tail" });
    expect(snapshotIn(frames[5]).last_event_id).toBe("2-0");
    await run.claim();
    await run.emit("run_started", STARTED);
    expect((await stream.until(7))[6]).toMatchObject({ id: "3-2" });
    stream.drop();
  });

  test("a session whose log is empty has a snapshot without a position", async () => {
    const sessionId = await newSession(api);
    await loseLog(api, sessionId);
    const stream = await follow(eventsOf(sessionId));
    expect(snapshotIn((await stream.until(1))[0]).last_event_id).toBeNull();
    stream.drop();
  });

  test("an unknown session is 404; without Redis it is 503 and worth coming back", async () => {
    for (const id of ["s_none", "%00"]) expect((await fetch(eventsOf(id))).status).toBe(404);
    expect((await fetch(`${api.url}/api/events?session_id=s_none`)).status).toBe(404);
    const redis = await startRedis();
    await withApi({ redisUrl: redis.url }, async (own) => {
      const sessionId = await newSession(own);
      await redis.kill();
      const answer = await fetch(`${own.url}/api/sessions/${sessionId}/events`);
      expect(answer.status).toBe(503);
      expect(answer.headers.get("retry-after")).toBe("1");
      expect(await answer.json()).toMatchObject({ error: { code: "redis_unavailable" } });
    });
  });
});

describe("R-1 one connection for a tab", () => {
  test("carries hints without ids, and the session in view", async () => {
    const run = await running();
    const { sessionId } = run;
    const stream = await follow(`${api.url}/api/events?session_id=${sessionId}`);
    snapshotIn((await stream.until(1))[0]);
    await api.hint({ session_id: sessionId });
    const frames = await stream.until(2);
    expect(frames[1]).toMatchObject({ event: "sessions_changed", id: undefined });
    expect(JSON.parse(frames[1]?.data ?? "")).toEqual({ session_id: sessionId });
    await run.emit("token", { text: "b", step: 1 });
    expect((await stream.until(3))[2]).toMatchObject({ id: "5-1" });
    stream.drop();
  });

  test("without a session only hints come", async () => {
    const run = await running();
    const stream = await follow(`${api.url}/api/events`);
    await run.emit("token", { text: "b", step: 1 });
    await api.hint({});
    expect(await stream.until(1)).toMatchObject([{ event: "sessions_changed", data: "{}" }]);
    stream.drop();
  });
});
