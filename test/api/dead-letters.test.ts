import { describe, expect, test } from "@jest/globals";
import type { Job } from "../../common/contracts/job.ts";
import type { Message } from "../../common/contracts/message.ts";
import type { DeadLetter, Ops } from "../../common/contracts/ops.ts";
import type { Run, RunErrorCode } from "../../common/contracts/run.ts";
import { newSession, postJson, startRunIn, type TestApi, withApi } from "../helpers/api-server.ts";

/** A run of the session (or a new one) that a worker ended as failed for this reason. */
const failed = async (api: TestApi, code: RunErrorCode, sessionId?: string) =>
  fail(api, code, await startRunIn(api, sessionId ?? (await newSession(api))));
const fail = async (
  api: TestApi,
  code: RunErrorCode,
  started: { readonly runId: string; readonly sessionId: string },
) => {
  const claim = await api.db.write.claimRun(started.runId, "worker-1", "job-1", 3);
  if (claim.kind !== "claimed") throw new Error(`not claimed: ${claim.kind}`);
  const status = code === "interrupted" ? ("interrupted" as const) : ("failed" as const);
  const result = await api.db.write.commitRun(started.runId, claim.record.generation, {
    status,
    messages: [{ role: "notice", content: "It failed: a-secret-detail", status }],
    usage: null,
    error: { code, message: "a-secret-detail" },
  });
  if (result.kind !== "committed") throw new Error(`not committed: ${result.kind}`);
  await api.lifecycle.dispatcher.handle(result.outbox);
  return started;
};
const letters = async (
  api: TestApi,
  query = "",
): Promise<{ data: DeadLetter[]; next_cursor: string | null }> =>
  (await fetch(`${api.url}/api/ops/dead-letters${query}`)).json() as never;
const messagesOf = async (api: TestApi, id: string): Promise<{ data: Message[] }> =>
  (await fetch(`${api.url}/api/sessions/${id}/messages`)).json() as never;
const requeue = (api: TestApi, id: string) => postJson(`${api.url}/api/ops/runs/${id}/requeue`, {});
const counted = async (api: TestApi): Promise<number> =>
  ((await (await fetch(`${api.url}/api/ops`)).json()) as { ops: Ops }).ops.dead_letters;
const codeOf = async (answer: Response): Promise<string> =>
  ((await answer.json()) as { error: { code: string } }).error.code;

describe("dead letters", () => {
  test("are runs that failed for a reason that was not their message's, newest first, paged; no word of what was said", () =>
    withApi({}, async (api) => {
      const crashed = await failed(api, "worker_crashed");
      const lost = await failed(api, "interrupted");
      await failed(api, "quota_exhausted");
      await startRunIn(api, await newSession(api));
      const first = await letters(api, "?limit=1");
      expect(first.data).toEqual([
        expect.objectContaining({
          id: lost.runId,
          session_id: lost.sessionId,
          code: "interrupted",
          attempt: 1,
        }),
      ]);
      const rest = await letters(api, `?limit=1&cursor=${first.next_cursor}`);
      expect(rest).toMatchObject({ data: [{ id: crashed.runId, status: "failed" }], next_cursor: null });
      expect(await counted(api)).toBe(2);
      expect(JSON.stringify([first, rest])).not.toMatch(/hello|a-secret-detail/);
    }));

  test("leave the list when the session goes on, or the turn was taken back", () =>
    withApi({}, async (api) => {
      const one = await failed(api, "error");
      const two = await failed(api, "error");
      expect(await counted(api)).toBe(2);
      await startRunIn(api, one.sessionId);
      expect((await postJson(`${api.url}/api/sessions/${two.sessionId}/undo`, {})).status).toBe(200);
      expect((await letters(api)).data).toEqual([]);
      for (const { runId } of [one, two]) expect((await requeue(api, runId)).status).toBe(409);
    }));
});

describe("requeue", () => {
  test("is one new run of the same message in the old turn's place; the old one keeps its one end", () =>
    withApi({}, async (api) => {
      const { runId, sessionId } = await failed(api, "worker_crashed");
      const answers = await Promise.all([requeue(api, runId), requeue(api, runId)]);
      const more = await requeue(api, runId);
      const runs = await Promise.all(
        [...answers, more].map(async (answer) => ((await answer.json()) as { run: Run }).run),
      );
      expect([...answers, more].map(({ status }) => status)).toEqual([202, 202, 202]);
      expect(new Set(runs.map(({ id }) => id)).size).toBe(1);
      expect(answers[0]?.headers.get("location")).toBe(`/api/runs/${runs[0]?.id}`);
      expect(runs[0]).toMatchObject({ status: "queued", session_id: sessionId, attempt: 0 });
      const { data } = (await (await fetch(`${api.url}/api/sessions/${sessionId}/messages`)).json()) as {
        data: { role: string; content: string; run_id: string }[];
      };
      expect(data).toEqual([
        expect.objectContaining({ role: "user", content: "hello", run_id: runs[0]?.id }),
      ]);
      expect(await api.db.read.getRun(runId)).toMatchObject({ status: "failed" });
      expect((await letters(api)).data).toEqual([]);
    }));

  test("B-38 of what the system said stays what the system said", () =>
    withApi({}, async (api) => {
      const sessionId = await newSession(api);
      const made = {
        source: "process" as const,
        parts: [{ id: "proc-1", command: "make" }],
        headline: "make ended",
      };
      const { run } = await api.db.runs.accept({
        ...{ sessionId, text: "The command ended.", model: null, onBusy: "reject", recovery: "resume" },
        ...{ idempotency: null, made },
      });
      await fail(api, "worker_crashed", { runId: run.id, sessionId });
      const answer = (await (await requeue(api, run.id)).json()) as { run: Run };
      expect(answer.run).toMatchObject({ source: "process" });
      const { data } = await messagesOf(api, sessionId);
      expect(data.filter(({ role }) => role === "user")).toMatchObject([
        { run_id: answer.run.id, source: "process", content: "The command ended." },
      ]);
      expect((await api.db.sessions.get(sessionId)).title).toBeNull();
    }));

  test("is refused for a run that did not fail, that runs, or that is not there", () =>
    withApi({}, async (api) => {
      const { runId } = await startRunIn(api, await newSession(api));
      expect(await codeOf(await requeue(api, runId))).toBe("conflict");
      expect(await codeOf(await requeue(api, "run_00000000000000000000000000"))).toBe("run_not_found");
    }));

  test("wants the operator's login, and its own page", () =>
    withApi({ password: "open sesame" }, async (api) => {
      for (const path of ["runs/run_x/requeue", "workers/w/drain", "jobs/retry"])
        expect((await postJson(`${api.url}/api/ops/${path}`, {})).status).toBe(401);
      expect((await fetch(`${api.url}/api/ops/dead-letters`)).status).toBe(401);
      const foreign = { origin: "http://evil.example" };
      expect((await postJson(`${api.url}/api/ops/jobs/retry`, {}, foreign)).status).toBe(403);
    }));
});

describe("all failed jobs of a kind", () => {
  test("are done again, the oldest first, so many at most", () =>
    withApi({}, async (api) => {
      const made: Job[] = [];
      for (let n = 0; n < 3; n++) {
        const sessionId = await newSession(api);
        const job = (
          await api.db.write.putTitleJob({ sessionId, about: "first", input: "first", manual: false })
        )?.job;
        if (job === undefined) throw new Error("no job was made");
        made.push(job);
        await api.db.write.claimJob(job.id, "worker-1");
        await api.db.write.endJob(job.id, 1, { state: "failed", reason: "timeout" });
      }
      const retry = async (body: unknown) => {
        const answer = await postJson(`${api.url}/api/ops/jobs/retry`, body);
        return [answer.status, await answer.json()];
      };
      expect(await retry({ kind: "title", limit: 2 })).toEqual([202, { retried: 2, left: 1 }]);
      expect(await retry({ kind: "title" })).toEqual([202, { retried: 1, left: 0 }]);
      expect(await retry({ kind: "title" })).toEqual([202, { retried: 0, left: 0 }]);
      for (const { id } of made) expect(await api.db.read.findJob(id)).toMatchObject({ state: "queued" });
      await api.lifecycle.dispatcher.settled();
      expect(await api.redis.llen(`${api.keys.prefix}:queue:titles:wait`)).toBe(3);
      for (const body of [{}, { kind: "soup" }, { kind: "title", limit: 1000 }])
        expect((await retry(body))[0]).toBe(400);
    }));
});
