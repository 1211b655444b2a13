import { connect } from "node:net";
import { describe, expect, test } from "@jest/globals";
import { follow, startRun, type TestApi, withApi } from "../../helpers/api-server.ts";
import { playRun } from "../../helpers/played-run.ts";

const MAX_RUN_BYTES = 64 * 1024 * 1024;

const followers = async (api: TestApi): Promise<number> => {
  const line = (await api.registry.metrics())
    .split("\n")
    .find((text) => text.startsWith("talaria_sse_followers "));
  return Number(line?.split(" ")[1]);
};
/** Waits for a fact that no event announces to a client. */
const eventually = async (fact: () => Promise<boolean>): Promise<void> => {
  while (!(await fact())) await new Promise((resolve) => setTimeout(resolve, 10));
};
/** A connection that asks and never reads. */
const deafReader = (api: TestApi, path: string) => {
  const socket = connect(api.port, "127.0.0.1");
  socket.pause();
  socket.on("error", () => undefined);
  socket.write(`GET ${path} HTTP/1.1\r\nHost: 127.0.0.1:${api.port}\r\n\r\n`);
  return socket;
};

describe("open streams", () => {
  test("R-34 idle-proxy: a comment at once, and again while nothing happens", () =>
    withApi({ journalTimes: { heartbeatMs: 20 } }, async (api) => {
      const stream = await follow(`${api.url}/api/events`);
      await eventually(async () => stream.comments >= 4);
      expect(stream.frames).toEqual([]);
      stream.drop();
    }));

  test("R-35: above the cap the answer is 503 at once, and a place that is left is free again", () =>
    withApi({ http: { maxStreams: 2 } }, async (api) => {
      const first = await follow(`${api.url}/api/events`);
      const second = await follow(`${api.url}/api/events`);
      const third = await fetch(`${api.url}/api/events`);
      expect(third.status).toBe(503);
      expect(third.headers.has("retry-after")).toBe(true);
      expect(await third.json()).toMatchObject({ error: { code: "overloaded" } });
      first.drop();
      await eventually(async () => (await followers(api)) === 1);
      const fourth = await follow(`${api.url}/api/events`);
      expect(fourth.response.status).toBe(200);
      fourth.drop();
      second.drop();
    }));

  test("R-30 stuck-socket, hostile 58: who does not read is cut off; the others get everything", () =>
    withApi(
      { journalTimes: { heartbeatMs: 20, slowReaderMs: 1000 }, maxRunBytes: MAX_RUN_BYTES },
      async (api) => {
        const run = playRun(api, await startRun(api));
        const { runId } = run;
        const good = await follow(`${api.url}/api/runs/${runId}/events`);
        const deaf = deafReader(api, `/api/runs/${runId}/events`);
        const cut = new Promise<void>((resolve) => deaf.once("close", () => resolve()));
        await eventually(async () => (await followers(api)) === 2);
        await run.claim();
        const text = "x".repeat(100_000);
        for (let i = 0; i < 200; i++) await run.emit("token", { text, step: 1 });
        await good.until(201);
        await eventually(async () => (await followers(api)) === 1);
        const ends = await api.registry.getSingleMetricAsString("talaria_sse_streams_ended_total");
        expect(ends).toContain('reason="slow_reader"} 1');
        deaf.resume();
        await cut;
        good.drop();
      },
    ));

  test("the journal is the buffer: for a reader that is behind nothing is read ahead", () =>
    withApi({ maxRunBytes: MAX_RUN_BYTES }, async (api) => {
      const run = playRun(api, await startRun(api));
      const { runId, sessionId } = run;
      await run.claim();
      await run.tokens(5000, "x".repeat(4000));
      const { runRange } = api.journal;
      let read = 0;
      Object.assign(api.journal, {
        runRange: async (...args: Parameters<typeof runRange>) => {
          const page = await runRange(...args);
          read += page.length;
          return page;
        },
      });
      const deaf = deafReader(api, `/api/runs/${runId}/events`);
      await eventually(async () => read > 0);
      const other = await follow(`${api.url}/api/sessions/${sessionId}/events?after=0`);
      await other.until(5002);
      expect(read).toBeLessThan(5000);
      other.drop();
      deaf.destroy();
    }));

  test("a stopping server ends its streams cleanly and refuses new ones", () =>
    withApi({}, async (api) => {
      const { runId } = await startRun(api);
      const streams = [
        await follow(`${api.url}/api/events`),
        await follow(`${api.url}/api/runs/${runId}/events`),
      ];
      api.shutDown();
      for (const stream of streams) await stream.ended();
      const late = await fetch(`${api.url}/api/events`);
      expect(late.status).toBe(503);
      expect(await late.json()).toMatchObject({ error: { code: "shutting_down" } });
      await eventually(async () => (await followers(api)) === 0);
      expect(api.hub.stats.followers).toBe(0);
    }));

  test("a follower that leaves leaves nothing behind", () =>
    withApi({}, async (api) => {
      const { runId } = await startRun(api);
      const stream = await follow(`${api.url}/api/runs/${runId}/events`);
      await eventually(async () => api.hub.stats.followers === 1);
      stream.drop();
      await eventually(async () => api.hub.stats.followers === 0);
      await eventually(async () => (await followers(api)) === 0);
    }));

  test("a stream whose feed breaks is ended, and the log says why", () =>
    withApi({}, async (api) => {
      const run = playRun(api, await startRun(api));
      const { runId } = run;
      await run.claim();
      await run.emit("an_event_of_the_future");
      const stream = await follow(`${api.url}/api/runs/${runId}/events`);
      expect(await stream.ended()).toEqual([]);
      expect(api.logged.join("")).toContain("an event stream failed");
    }));
});
