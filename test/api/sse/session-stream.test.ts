import { afterEach, beforeEach, describe, expect, test } from "@jest/globals";
import { SNAPSHOT_SCHEMA, type Snapshot } from "../../../common/contracts/events.ts";
import { follow, startApi, startRun, type TestApi } from "../../helpers/api-server.ts";

let api: TestApi;
beforeEach(async () => {
  api = await startApi();
});
afterEach(() => api.close());

const eventsOf = (sessionId: string, query = ""): string =>
  `${api.url}/api/sessions/${sessionId}/events${query}`;
const running = async (): Promise<{ sessionId: string; runId: string }> => {
  const started = await startRun(api);
  api.house.emit(started.runId, "run_queued");
  api.house.claim(started.runId);
  api.house.emit(started.runId, "run_started");
  api.house.emit(started.runId, "token", { text: "a", step: 1 });
  return started;
};
const snapshotIn = (frame: { event?: string | undefined; data: string } | undefined): Snapshot => {
  expect(frame?.event).toBe("snapshot");
  return SNAPSHOT_SCHEMA.parse(JSON.parse(frame?.data ?? ""));
};

describe("following a session", () => {
  test("R-32: from now, with one snapshot that names the live run and what it has shown", async () => {
    const { sessionId, runId } = await running();
    const stream = await follow(eventsOf(sessionId));
    const snapshot = snapshotIn((await stream.until(1))[0]);
    expect(snapshot.session.id).toBe(sessionId);
    expect(snapshot.runs).toMatchObject([{ id: runId, status: "running", last_event_id: `${runId}:3` }]);
    expect(snapshot.last_event_id).toBe("3-1");
    expect(snapshot.events).toEqual([
      { event: "run_queued", run_id: runId, run_seq: 1, attempt: 0 },
      { event: "run_started", run_id: runId, run_seq: 2, attempt: 1 },
      { event: "token", run_id: runId, run_seq: 3, attempt: 1, text: "a", step: 1 },
    ]);
    api.house.emit(runId, "token", { text: "b", step: 1 });
    expect((await stream.until(2))[1]).toMatchObject({ id: "4-1", event: "token" });
    stream.drop();
  });

  test("an event that lands while the snapshot is taken comes after it, once", async () => {
    const { sessionId, runId } = await running();
    const { head } = api.house.journal;
    let raced = false;
    Object.assign(api.house.journal, {
      head: async (id: string) => {
        const before = await head(id);
        if (!raced) api.house.emit(runId, "token", { text: "raced", step: 1 });
        raced = true;
        return before;
      },
    });
    const stream = await follow(eventsOf(sessionId));
    const frames = await stream.until(2);
    expect(snapshotIn(frames[0])).toMatchObject({ last_event_id: "3-1", events: { length: 3 } });
    expect(frames[1]).toMatchObject({ id: "4-1" });
    stream.drop();
  });

  test("a run that ends while the snapshot is taken is not torn: its events are there, its end follows", async () => {
    const { sessionId, runId } = await running();
    const { head } = api.house.journal;
    Object.assign(api.house.journal, {
      head: async (id: string) => {
        const before = await head(id);
        Object.assign(api.house.journal, { head });
        api.house.emit(runId, "done");
        api.house.emit(runId, "stream_end");
        api.house.setRun(runId, { status: "completed" });
        return before;
      },
    });
    const stream = await follow(eventsOf(sessionId));
    const frames = await stream.until(3);
    expect(snapshotIn(frames[0])).toMatchObject({ runs: [], events: { length: 3 } });
    expect(frames.slice(1).map(({ event }) => event)).toEqual(["done", "stream_end"]);
    stream.drop();
  });

  test("after a cursor: only what is after it; the greatest one wins", async () => {
    const { sessionId } = await running();
    const stream = await follow(eventsOf(sessionId, "?after=0&last_event_id=1-1"), {
      "last-event-id": "2-1",
    });
    expect((await stream.until(1))[0]).toMatchObject({ id: "3-1", event: "token" });
    stream.drop();
  });

  test.each(["?after=0", "?last_event_id=0"])("%s is from the start", async (query) => {
    const { sessionId } = await running();
    const stream = await follow(eventsOf(sessionId, query));
    expect((await stream.until(3)).map(({ id }) => id)).toEqual(["1-1", "2-1", "3-1"]);
    stream.drop();
  });

  test.each(["-1", "abc", "99-1", "2-9", "0x10", "1-1-1", "r_x:1"])(
    "a cursor that names nothing (%s): reset, then a snapshot, nothing skipped",
    async (cursor) => {
      const { sessionId, runId } = await running();
      const stream = await follow(eventsOf(sessionId), { "last-event-id": cursor });
      const frames = await stream.until(2);
      expect(frames[0]).toMatchObject({ event: "reset", id: undefined });
      expect(JSON.parse(frames[0]?.data ?? "")).toEqual({ run_id: null, reason: "unknown_cursor" });
      expect(snapshotIn(frames[1]).events).toHaveLength(3);
      api.house.emit(runId, "token", { text: "b", step: 1 });
      expect((await stream.until(3))[2]).toMatchObject({ id: "4-1" });
      stream.drop();
    },
  );

  test("R-23 trimmed-journal: an expired cursor, or a start that is not kept, gets a snapshot", async () => {
    const { sessionId } = await running();
    Object.assign(api.house.journal, { checkSessionCursor: async () => ({ kind: "expired" }) });
    for (const query of ["?after=0", "?last_event_id=1-1"]) {
      const stream = await follow(eventsOf(sessionId, query));
      snapshotIn((await stream.until(1))[0]);
      stream.drop();
    }
  });

  test("a tail lost while somebody follows: reset, a snapshot, and on from there", async () => {
    const { sessionId, runId } = await running();
    const stream = await follow(eventsOf(sessionId, "?after=0"));
    await stream.until(3);
    api.house.lose(sessionId, 1);
    const frames = await stream.until(5);
    expect(JSON.parse(frames[3]?.data ?? "")).toEqual({ run_id: null, reason: "lost_tail" });
    expect(snapshotIn(frames[4]).last_event_id).toBe("1-1");
    api.house.claim(runId);
    api.house.emit(runId, "run_started");
    expect((await stream.until(6))[5]).toMatchObject({ id: "2-2" });
    stream.drop();
  });

  test("an empty session has a snapshot without a position", async () => {
    const { sessionId } = await startRun(api);
    const stream = await follow(eventsOf(sessionId));
    expect(snapshotIn((await stream.until(1))[0]).last_event_id).toBeNull();
    stream.drop();
  });

  test("an unknown session is 404; without Redis it is 503 and worth coming back", async () => {
    for (const id of ["s_none", "%00"]) expect((await fetch(eventsOf(id))).status).toBe(404);
    expect((await fetch(`${api.url}/api/events?session_id=s_none`)).status).toBe(404);
    const { sessionId } = await running();
    api.house.redisAway = true;
    const answer = await fetch(eventsOf(sessionId));
    expect(answer.status).toBe(503);
    expect(answer.headers.get("retry-after")).toBe("2");
    expect(await answer.json()).toMatchObject({ error: { code: "redis_unavailable" } });
  });
});

describe("R-1 one connection for a tab", () => {
  test("carries hints without ids, and the session in view", async () => {
    const { sessionId, runId } = await running();
    const stream = await follow(`${api.url}/api/events?session_id=${sessionId}`);
    snapshotIn((await stream.until(1))[0]);
    api.house.hint({ session_id: sessionId });
    const frames = await stream.until(2);
    expect(frames[1]).toMatchObject({ event: "sessions_changed", id: undefined });
    expect(JSON.parse(frames[1]?.data ?? "")).toEqual({ session_id: sessionId });
    api.house.emit(runId, "token", { text: "b", step: 1 });
    expect((await stream.until(3))[2]).toMatchObject({ id: "4-1" });
    stream.drop();
  });

  test("without a session only hints come", async () => {
    const { runId } = await running();
    const stream = await follow(`${api.url}/api/events`);
    api.house.emit(runId, "token", { text: "b", step: 1 });
    api.house.hint({});
    expect(await stream.until(1)).toMatchObject([{ event: "sessions_changed", data: "{}" }]);
    stream.drop();
  });
});
