import { describe, expect, it } from "@jest/globals";
import type { ContextInfo } from "../../common/contracts/context.ts";
import type { Job } from "../../common/contracts/job.ts";
import { answer, openPage, pass, stopTime } from "./page.ts";
import { job, session } from "./story.ts";

const done = (version: number) =>
  job("compression", { state: "done", created_at: version, ended_at: 2, result: { version } });
const context = (version: number) => ({ version, border_message_id: "m" }) as ContextInfo;

/** A page that shows the session `s` of a server that is told what it has, and holds or refuses the list of contexts. */
const setUp = async ({ refuse = false } = {}) => {
  const server = {
    contexts: [] as ContextInfo[],
    jobs: [] as Job[],
    refuse,
    hold: null as Promise<void> | null,
    asked: 0,
    streams: [] as ReadableStreamDefaultController<Uint8Array>[],
  };
  const request = (async (url: string) => {
    if (url.startsWith("/api/events"))
      return new Response(
        new ReadableStream({ start: (controller) => void server.streams.push(controller) }),
      );
    const [path = ""] = url.split("?");
    if (path === "/api/sessions/s/contexts") {
      server.asked += 1;
      const told = { data: server.contexts, next_cursor: null };
      await server.hold;
      return server.refuse
        ? answer({ error: { code: "unavailable", message: "Not now." } }, 503)
        : answer(told);
    }
    if (path === "/api/sessions/s/jobs") return answer({ data: server.jobs, next_cursor: null });
    if (path === "/api/sessions/s") return answer({ session: session("s") });
    return answer({ data: [], next_cursor: null, revision: 1, store: "ok", bot_name: "Hermes" });
  }) as typeof fetch;
  const { workbench } = openPage(request, { selected: "s" });
  await pass(1_000);
  let frames = 0;
  return {
    ...{ server, workbench },
    state: () => workbench.getState().open.get("s"),
    /** An event of the session. */
    tell: async (told: Job) => {
      frames += 1;
      const frame = `id: ${frames}-1\nevent: job\ndata: ${JSON.stringify({ job: told })}\n\n`;
      server.streams.at(-1)?.enqueue(new TextEncoder().encode(frame));
      await pass(100);
    },
  };
};

stopTime();

describe("the list of compressions", () => {
  it("is read again when one was told of while it was read", async () => {
    const { server, state, tell } = await setUp();
    const { promise, resolve } = Promise.withResolvers<void>();
    server.hold = promise;
    await tell(done(1));
    server.contexts = [context(2), context(1)];
    await tell(done(2));
    expect(server.asked).toBe(2);
    server.hold = null;
    resolve();
    await pass(100);
    expect(server.asked).toBe(3);
    expect(state()?.contexts).toEqual([context(2), context(1)]);
    await tell(job("title"));
    expect(server.asked).toBe(3);
  });

  it("is not asked for with every event while the server refuses it, but from time to time", async () => {
    const { server, state, tell } = await setUp();
    server.refuse = true;
    await tell(done(1));
    expect(server.asked).toBe(2);
    for (let n = 0; n < 5; n++) await tell(job("title"));
    expect(server.asked).toBe(2);
    server.refuse = false;
    server.contexts = [context(1)];
    await pass(10_000);
    await tell(job("title"));
    expect(server.asked).toBe(3);
    expect(state()?.contexts).toEqual([context(1)]);
  });

  it("is asked for again when it could not be read as the session was opened, whatever the event", async () => {
    const { server, state, tell } = await setUp({ refuse: true });
    server.refuse = false;
    server.contexts = [context(1)];
    await pass(10_000);
    await tell(job("title"));
    expect(state()?.contexts).toEqual([context(1)]);
    expect(server.asked).toBe(2);
  });
});

it("the end of a job that was missed is known when the session is opened again; of others, what has ended is not told", async () => {
  const { server, workbench, state, tell } = await setUp();
  await tell(job("compression"));
  workbench.select(null);
  const title = job("title", { state: "failed", ended_at: 2 });
  server.jobs = [job("compression", { state: "failed", reason: "timeout", ended_at: 2 }), title];
  workbench.select("s");
  await pass(1_000);
  expect(state()?.jobs.compression?.state).toBe("failed");
  expect(state()?.jobs.title).toBeUndefined();
});
