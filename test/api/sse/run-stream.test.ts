import { beforeAll, describe, expect, test } from "@jest/globals";
import {
  follow,
  newSession,
  postJson,
  rawRequest,
  startApi,
  startRun,
  startRunIn,
  statusOf,
  type TestApi,
  withApi,
} from "../../helpers/api-server.ts";
import { behindNext, keepLog, loseLog } from "../../helpers/house.ts";
import { type PlayedRun, playRun } from "../../helpers/played-run.ts";
import { startRedis } from "../../helpers/redis.ts";

let api: TestApi;
beforeAll(async () => {
  api = await startApi({ journalTimes: { heartbeatMs: 50 } });
});

const ids = (frames: readonly { id?: string | undefined }[]): (string | undefined)[] =>
  frames.map(({ id }) => id);
const numbers = (runId: string, from: number, to: number): string[] =>
  Array.from({ length: to - from + 1 }, (_, i) => `${runId}:${from + i}`);
const eventsOf = (runId: string): string => `${api.url}/api/runs/${runId}/events`;

/** A run with `tokens` tokens behind run_queued and run_started; ended ones get `done` and `stream_end`. */
const journaled = async (tokens: number, ended: boolean): Promise<PlayedRun & { readonly last: number }> => {
  const run = playRun(api, await startRun(api));
  await begin(run);
  await run.tokens(tokens);
  if (ended) await run.end();
  return { ...run, last: 2 + tokens + (ended ? 2 : 0) };
};
const begin = async (run: PlayedRun): Promise<void> => {
  await run.claim();
  await run.emit("run_started", { model: "m", profile: "default" });
};

/** A run that has shown "0 1 2", the last two words under 4 and 5; `loseTail`: Redis loses these two. */
const shownToBeLost = async () => {
  const run = await journaled(1, false);
  const loseTail = await keepLog(api, run.sessionId);
  await run.emit("token", { text: "1 ", step: 1 });
  await run.emit("token", { text: "2", step: 1 });
  return { run, runId: run.runId, loseTail };
};

describe("following a run", () => {
  test("R-12 backlog-keeps-own-ids, then live, and the end closes the stream", async () => {
    const run = await journaled(4, false);
    const { runId } = run;
    const stream = await follow(eventsOf(runId));
    expect(stream.response.headers.get("content-type")).toBe("text/event-stream; charset=utf-8");
    expect(stream.response.headers.get("cache-control")).toBe("no-cache, no-transform");
    expect(stream.response.headers.get("x-accel-buffering")).toBe("no");
    expect(ids(await stream.until(6))).toEqual(numbers(runId, 1, 6));
    await run.emit("token", { text: "live", step: 1 });
    expect(JSON.parse((await stream.until(7))[6]?.data ?? "")).toEqual({
      run_id: runId,
      run_seq: 7,
      attempt: 1,
      text: "live",
      step: 1,
    });
    await run.end();
    const all = await stream.ended();
    expect(all.at(-1)).toMatchObject({ event: "stream_end", id: `${runId}:9` });
  });

  test("an ended run is replayed whole and closed; other runs of its session are not in it", async () => {
    const { sessionId, runId, last } = await journaled(2500, true);
    const next = await startRunIn(api, sessionId);
    expect((await api.journal.span(sessionId, next.runId))?.lastRunSeq).toBe(1);
    expect(ids(await (await follow(eventsOf(runId))).ended())).toEqual(numbers(runId, 1, last));
  });

  test("R-21 next-turn-not-suppressed: the position of one run says nothing about another", async () => {
    const { sessionId, runId } = await journaled(20, true);
    const next = playRun(api, await startRunIn(api, sessionId));
    const stream = await follow(eventsOf(next.runId), { "last-event-id": `${runId}:20` });
    await begin(next);
    expect(ids(await stream.until(2))).toEqual(numbers(next.runId, 1, 2));
    stream.drop();
  });

  test("R-19 stale-url-fresh-header: the greatest valid cursor wins, wherever it stands", async () => {
    const { runId, last } = await journaled(60, true);
    const stale = `?after=0&last_event_id=${runId}:10`;
    const stream = await follow(eventsOf(runId) + stale, { "last-event-id": `${runId}:50` });
    expect(ids(await stream.ended())).toEqual(numbers(runId, 51, last));
    for (const header of ["abc", `${runId}:10`, `${runId}:999`]) {
      const other = await follow(`${eventsOf(runId)}?last_event_id=${runId}:50`, { "last-event-id": header });
      expect(ids(await other.ended())).toEqual(numbers(runId, 51, last));
    }
  });

  test("R-20 hostile-cursors, hostile 53 to 56: each gets events 1 to 5, none an error", async () => {
    const { runId } = await journaled(1, true);
    const own = [":999", ":", ":0x1", ":1e0", ":-1", ":2-99", ":999999999999999999"].map(
      (tail) => runId + tail,
    );
    for (const cursor of ["abc", "-3", "-1", "0", "0x10", "other:4", ...own]) {
      const byHeader = await follow(eventsOf(runId), { "last-event-id": cursor });
      const byQuery = await follow(`${eventsOf(runId)}?last_event_id=${encodeURIComponent(cursor)}`);
      for (const stream of [byHeader, byQuery])
        expect(ids((await stream.ended()).filter(({ event }) => event !== "reset"))).toEqual(
          numbers(runId, 1, 5),
        );
    }
    const crlf = await follow(`${eventsOf(runId)}?last_event_id=1%0d%0aevent:%20done`);
    expect(ids(await crlf.ended())).toEqual(numbers(runId, 1, 5));
    const huge = `GET /api/runs/${runId}/events HTTP/1.1\r\nHost: 127.0.0.1:${api.port}\r\nLast-Event-ID: ${"9".repeat(1_000_000)}\r\n\r\n`;
    // The rest of a megabyte may meet a closed connection before the answer is read.
    expect([431, 0]).toContain(statusOf(await rawRequest(api.port, huge)));
  });

  test("R-22 reset-before-replay: a cursor ahead of the end is told before anything is repeated", async () => {
    const { runId, last } = await journaled(18, true);
    const frames = await (await follow(eventsOf(runId), { "last-event-id": `${runId}:99` })).ended();
    expect(frames[0]).toMatchObject({ event: "reset", id: undefined });
    expect(JSON.parse(frames[0]?.data ?? "")).toEqual({ run_id: runId, reason: "unknown_cursor" });
    expect(ids(frames.slice(1))).toEqual(numbers(runId, 1, last));
  });

  test("a tail lost while somebody follows: reset, then everything from the start", async () => {
    const run = await journaled(1, false);
    const { sessionId, runId } = run;
    const loseTail = await keepLog(api, sessionId);
    await run.tokens(2);
    const stream = await follow(eventsOf(runId));
    await stream.until(5);
    await loseTail();
    await stream.until(6);
    await begin(run);
    await run.end();
    const frames = await stream.ended();
    expect(frames[5]).toMatchObject({ event: "reset" });
    const again = [4, 5, 6].map((number) => `${runId}:${number}-2`);
    expect(ids(frames.slice(6))).toEqual([...numbers(runId, 1, 3), ...again]);
  });

  test("a tail lost between two pages of history: what stands at the same numbers now is not taken for its continuation", async () => {
    const run = await journaled(1, false);
    const { sessionId, runId } = run;
    const loseTail = await keepLog(api, sessionId);
    await run.tokens(1_500);
    const raced = behindNext(api.journal, "runRange", async () => {
      await loseTail();
      await begin(run);
      await run.tokens(1_500);
      await run.end();
    });
    const stream = await follow(eventsOf(runId));
    const frames = await stream.ended();
    expect(raced()).toBe(true);
    const reset = frames.findIndex(({ event }) => event === "reset");
    expect(ids(frames.slice(0, reset))).toEqual(numbers(runId, 1, 1_000));
    const again = numbers(runId, 4, 1_506).map((id) => `${id}-2`);
    expect(ids(frames.slice(reset + 1))).toEqual([...numbers(runId, 1, 3), ...again]);
  });

  test("a tail lost between a run's last words and its end: the words are said again, under ids that nobody has seen", async () => {
    const { run, runId, loseTail } = await shownToBeLost();
    const stream = await follow(eventsOf(runId));
    await stream.until(5);
    await run.end("0 1 2", loseTail);
    const live = await stream.ended();
    const later = await (await follow(eventsOf(runId), { "last-event-id": `${runId}:5` })).ended();
    for (const frames of [live.slice(5), later]) {
      expect(frames[0]?.event).toBe("reset");
      const said = frames.filter(({ event }) => event === "token").map(({ data }) => JSON.parse(data).text);
      expect(said.join("")).toBe("0 1 2");
      expect(frames.slice(-2).map(({ event }) => event)).toEqual(["done", "stream_end"]);
    }
  });

  test("a tail lost with the process that had committed the run: whoever tells the end gives nothing the id of what was sent", async () => {
    const { runId, loseTail } = await shownToBeLost();
    const { generation = 0 } = (await api.db.read.findRecord(runId)) ?? {};
    const answer = { role: "assistant", content: "0 1 2", status: "complete" } as const;
    const outcome = { status: "completed", messages: [answer], usage: null, error: null } as const;
    await api.db.write.commitRun(runId, generation, outcome);
    await loseTail();
    await api.lifecycle.settler.finishFirst(runId);
    const frames = await (await follow(eventsOf(runId), { "last-event-id": `${runId}:4` })).ended();
    expect(frames[0]?.event).toBe("reset");
    const said = frames.filter(({ event }) => event === "token").map(({ data }) => JSON.parse(data).text);
    expect(said.join("")).toBe("0 1 2");
  });

  test("R-28 connect-drop-connect: nothing is repeated", async () => {
    const run = await journaled(1, false);
    const { runId } = run;
    const first = await follow(eventsOf(runId));
    await first.until(3);
    first.drop();
    const second = await follow(eventsOf(runId), { "last-event-id": `${runId}:3` });
    await run.tokens(1);
    expect(ids(await second.until(1))).toEqual([`${runId}:4`]);
    second.drop();
  });

  test("a cursor at the end of an ended run: the end is said again and the stream closes", async () => {
    const { runId, last } = await journaled(1, true);
    const frames = await (await follow(eventsOf(runId), { "last-event-id": `${runId}:${last}` })).ended();
    expect(frames).toHaveLength(1);
    expect(frames[0]).toMatchObject({ event: "stream_end", id: `${runId}:${last}` });
  });

  test("R-31 event-during-handshake: a run that lives while the position is taken is seen whole", async () => {
    const run = await journaled(1, false);
    const { runId } = run;
    const raced = behindNext(api.journal, "head", async () => {
      await run.tokens(1);
      await run.end();
    });
    expect(ids(await (await follow(eventsOf(runId))).ended())).toEqual(numbers(runId, 1, 6));
    expect(raced()).toBe(true);
  });

  /** A run whose acceptance nobody has told yet; `tell` does it. */
  const untold = async (): Promise<{ runId: string; tell: () => Promise<void> }> => {
    const { run, outbox } = await api.db.write.acceptRun({
      ...{ sessionId: await newSession(api), text: "hello", model: null, idempotency: null },
      ...{ onBusy: "reject", recovery: "resume" },
    });
    expect(await api.journal.span(run.session_id, run.id)).toBeNull();
    return { runId: run.id, tell: () => api.lifecycle.dispatcher.handle(outbox) };
  };

  test("an event that lands between looking for history and following is not missed", async () => {
    const { runId, tell } = await untold();
    const raced = behindNext(api.journal, "runRange", tell);
    const stream = await follow(eventsOf(runId));
    expect(ids(await stream.until(1))).toEqual([`${runId}:1`]);
    expect(raced()).toBe(true);
    stream.drop();
  });

  test("a run that is accepted but not journaled yet is followed from its first event", async () => {
    const { runId, tell } = await untold();
    const stream = await follow(eventsOf(runId));
    await tell();
    expect(await stream.until(1)).toMatchObject([{ event: "run_queued", id: `${runId}:1` }]);
    stream.drop();
  });

  test("with Redis away a new run's stream opens, and goes on when Redis is back", async () => {
    const redis = await startRedis({ appendonly: true });
    await withApi({ redisUrl: redis.url }, async (own) => {
      const sessionId = await newSession(own);
      await redis.kill();
      const accepted = await postJson(`${own.url}/api/sessions/${sessionId}/runs`, { input: "hello" });
      expect(accepted.status).toBe(202);
      const { run } = (await accepted.json()) as { run: { id: string } };
      const address = `${own.url}/api/runs/${run.id}/events`;
      const stream = await follow(address);
      expect(stream.response.status).toBe(200);
      const back = await startRedis({ appendonly: true, dir: redis.dir, port: redis.port });
      // Nobody does it again by hand: the outbox still has it.
      expect(await stream.until(1)).toMatchObject([{ event: "run_queued", id: `${run.id}:1` }]);
      stream.drop();
      await back.kill();
      const withCursor = await fetch(address, { headers: { "last-event-id": `${run.id}:1` } });
      expect(withCursor.status).toBe(503);
      expect(withCursor.headers.get("retry-after")).toBe("1");
    });
  });

  test("an ended run that the journal has lost is told again from the transcript, to its end", async () => {
    const { sessionId, runId } = await journaled(2, true);
    const text = (frames: readonly { event?: string | undefined; data: string }[]): string =>
      frames
        .filter(({ event }) => event === "token")
        .map(({ data }) => (JSON.parse(data) as { text: string }).text)
        .join("");
    const before = await (await follow(eventsOf(runId))).ended();
    await loseLog(api, sessionId);
    const again = await (await follow(eventsOf(runId))).ended();
    expect(again.map(({ event }) => event).at(-1)).toBe("stream_end");
    expect(again.filter(({ event }) => event === "done")).toHaveLength(1);
    const { data } = await api.transcript.transcripts.page(sessionId, { limit: 10 });
    const answer = data.filter(({ role }) => role === "assistant").map(({ content }) => content);
    expect(text(again)).toBe(answer.join(""));
    // No two events share an id, whatever was lost between them.
    const held = before.at(-2)?.id ?? "";
    const resumed = await (await follow(eventsOf(runId), { "last-event-id": held })).ended();
    expect(resumed.at(-1)?.event).toBe("stream_end");
  });

  test("R-24: a run that was trimmed from the log goes on after a cursor, from the archive", async () => {
    const { sessionId, runId, last } = await journaled(3, true);
    expect(await api.journal.archive(sessionId, runId)).toBe(true);
    expect(await api.journal.trim(sessionId, Date.now() + 1)).toBe(1);
    expect(await api.redis.exists(api.keys.run(sessionId, runId))).toBe(0);
    const stream = await follow(eventsOf(runId), { "last-event-id": `${runId}:2` });
    expect(ids(await stream.ended())).toEqual(numbers(runId, 3, last));
    expect(ids(await (await follow(eventsOf(runId))).ended())).toEqual(numbers(runId, 1, last));
  });

  test("R-35: an unknown run is 404 in JSON, before any header of a stream", async () => {
    for (const id of ["r_none", "%00", "a:b"]) {
      const answer = await fetch(eventsOf(id));
      expect(answer.status).toBe(404);
      expect(await answer.json()).toMatchObject({ error: { code: "run_not_found" } });
    }
  });

  test("HEAD answers with the headers of the stream and ends", async () => {
    const { runId } = await journaled(1, false);
    const answer = await fetch(eventsOf(runId), { method: "HEAD" });
    expect(answer.status).toBe(200);
    expect(answer.headers.get("content-type")).toBe("text/event-stream; charset=utf-8");
  });
});
