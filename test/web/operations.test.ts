import { describe, expect, it } from "@jest/globals";
import { alarmsOf, bytesText, OPERATIONS_PAGE, placeText, spanText } from "../../api/web/model/operations.ts";
import { createApi } from "../../api/web/net/http.ts";
import { createOperations } from "../../api/web/runtime/operations.ts";
import type { Ops } from "../../common/contracts/ops.ts";
import { newSession, type TestApi, withApi } from "../helpers/api-server.ts";
import { acceptMessage } from "../helpers/talaria-db.ts";
import { eventually } from "../helpers/wait.ts";

const FIGURES = { used_memory_bytes: 1, peak_memory_bytes: 1, append_only_file_bytes: null, keys: 1 };
const OPS: Ops = {
  at: 100,
  version: "0.1.0",
  workers: null,
  backlog: null,
  runs: [],
  jobs: { queued: 0, running: 0, failed: 0 },
  dead_letters: 0,
  redis: null,
  maintenance: [],
  journals: null,
  dashboard: null,
};

describe("what the operator's page says", () => {
  it.each([
    [0.2, "0 s"],
    [59, "59 s"],
    [61, "1 min"],
    [3 * 3600 + 300, "3 h 5 min"],
    [2 * 86_400, "2 d"],
    [-5, "0 s"],
  ])("%s seconds are %s", (seconds, text) => expect(spanText(seconds)).toBe(text));

  it.each([
    [12, "12 B"],
    [1536, "1.5 KiB"],
    [300 * 1024 * 1024, "300 MiB"],
  ])("%s bytes are %s", (bytes, text) => expect(bytesText(bytes)).toBe(text));

  it("names what is wrong, and nothing while all is well", () => {
    const well = { ...OPS, backlog: [], redis: { ...FIGURES, max_memory_bytes: null } };
    const worker = {
      ...{ name: "w", version: "1", queues: ["runs"], profiles: null, running: 0, concurrency: 1 },
      ...{
        draining: false,
        started_at: 1,
        seen_at: 1,
        last_progress_at: null,
        stalled_since: null,
        restarts: 0,
      },
    };
    expect(alarmsOf({ ...well, workers: [worker] })).toEqual([]);
    expect(alarmsOf({ ...well, workers: [] })).toEqual(["No worker is running."]);
    expect(alarmsOf(OPS)).toEqual([expect.stringContaining("Redis cannot be reached")]);
    const full = { ...FIGURES, used_memory_bytes: 95, max_memory_bytes: 100 };
    expect(alarmsOf({ ...well, workers: [worker], redis: full })).toEqual([
      expect.stringContaining("nine tenths"),
    ]);
    const task = {
      last_ok_at: 1,
      done: 0,
      last_error_at: null,
      last_error: null,
      next_at: 2,
      ok: 1,
      failed: 0,
    };
    const late = [
      { ...task, task: "trim", alarm: true },
      { ...task, task: "archive", alarm: false },
    ];
    expect(alarmsOf({ ...well, workers: [worker], maintenance: late })).toEqual([
      expect.stringContaining("Maintenance is late (trim)"),
    ]);
  });

  it("says where in the list a page is", () => {
    expect(placeText({ items: [1, 2], at: 0, trail: [], next: null }, 50)).toBe("1–2");
    expect(placeText({ items: [1], at: 1, trail: ["a"], next: null }, 50)).toBe("51–51");
    expect(placeText({ items: [], at: 0, trail: [], next: null }, 50)).toBe("none");
    expect(placeText({ items: [1, 2], at: 0, trail: [], next: "a" }, 50, 1_000)).toBe("1–2 of 1,000");
    expect(placeText({ items: [1, 2], at: 0, trail: [], next: null }, 50, 1)).toBe("1–2 of 2");
  });
});

describe("the operator's page over a real server", () => {
  const open = (
    url: string,
    request: typeof fetch = (path, init) => fetch(`${url}${String(path)}`, init),
  ) => {
    let look = (): void => undefined;
    const operations = createOperations({
      api: createApi({ fetch: request, timeoutMs: 5_000 }),
      surroundings: { hidden: () => false, online: () => true, onReturn: () => () => undefined },
      every: (work) => {
        look = work;
      },
    });
    return { operations, look: () => look() };
  };
  const manyRuns = async (api: TestApi, count: number): Promise<string[]> => {
    const runs = await Promise.all(
      Array.from({ length: count }, async () => {
        const { session } = await api.db.sessions.create({ profile: "default" });
        return acceptMessage(api.db, session.id);
      }),
    );
    return runs.sort((a, b) => a.created_at - b.created_at || (a.id < b.id ? -1 : 1)).map(({ id }) => id);
  };

  it("never holds more than a page of runs, and turns to each of them once, there and back", () =>
    withApi({}, async (api) => {
      const expected = await manyRuns(api, 2 * OPERATIONS_PAGE + 7);
      const { operations } = open(api.url);
      const pageAt = (pages: number) =>
        eventually(`page ${pages}`, () => {
          const { phase, runs } = operations.getState();
          const isThere = phase === "ready" && runs.trail.length === pages;
          const ids = runs.items.map(({ id }) => id);
          return isThere && ids[0] === expected[pages * OPERATIONS_PAGE] && ids;
        });
      const seen = [...(await pageAt(0))];
      operations.turn("runs", "next");
      // Before the answer there is nothing to turn to, so an impatient second press skips nothing.
      operations.turn("runs", "next");
      seen.push(...(await pageAt(1)));
      operations.turn("runs", "next");
      seen.push(...(await pageAt(2)));
      expect(seen).toEqual(expected);
      operations.turn("runs", "next");
      operations.turn("runs", "previous");
      expect(await pageAt(1)).toHaveLength(OPERATIONS_PAGE);
    }));

  it("keeps what it shows while the server cannot be reached, and says so; goes on when it is back", () =>
    withApi({}, async (api) => {
      let broken = false;
      const { operations, look } = open(api.url, (path, init) =>
        broken ? Promise.reject(new TypeError("fetch failed")) : fetch(`${api.url}${String(path)}`, init),
      );
      await eventually("the first look", () => operations.getState().phase === "ready");
      broken = true;
      look();
      await eventually("the problem", () => operations.getState().problem !== null);
      expect(operations.getState()).toMatchObject({ phase: "ready", ops: { runs: [] } });
      broken = false;
      look();
      await eventually("no problem", () => operations.getState().problem === null);
    }));

  it("asks to sign in where that is needed", () =>
    withApi({ password: "open sesame" }, async (api) => {
      const { operations } = open(api.url);
      await eventually("the answer", () => operations.getState().phase === "signed_out");
      expect(await operations.signIn("guessed")).toEqual(expect.any(String));
      expect(operations.getState().phase).toBe("signed_out");
    }));

  it("does a failed job again, after which it is in the list no more", () =>
    withApi({}, async (api) => {
      const sessionId = await newSession(api);
      const work = { sessionId, about: "first", input: "first" as const, manual: false };
      const id = (await api.db.write.putTitleJob(work))?.job.id ?? "";
      await api.db.write.claimJob(id, "worker-1");
      await api.db.write.endJob(id, 1, { state: "failed", reason: "timeout" });
      const { operations } = open(api.url);
      await eventually("the job", () => operations.getState().jobs.items.some((job) => job.id === id));
      const job = { id, kind: "title", session_id: sessionId } as const;
      await operations.retry(job);
      expect(operations.getState()).toMatchObject({
        jobs: { items: [] },
        problem: null,
        said: { tone: "good", sessionId },
      });
      await operations.retry({ ...job, id: "title-none-first" });
      expect(operations.getState().said).toEqual({ text: "There is no such job.", tone: "trouble" });
      operations.closeSaid();
      expect(operations.getState()).toMatchObject({ said: null, underway: new Set() });
    }));
});
