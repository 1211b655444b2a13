import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import type { Session } from "../../common/contracts/session.ts";
import { expectedText } from "../../workers/engines/demo/words.ts";
import { type Deployment, startDeployment } from "../helpers/deployment.ts";
import { appendOutside, holdLock, readDb, rowsOf } from "../helpers/outside.ts";
import type { TestProcess } from "../helpers/process.ts";
import {
  allMessages,
  expectSettled,
  expectTruth,
  getSession,
  line,
  runToEnd,
  sidecar,
  stateDb,
  visibleRows,
} from "../helpers/truth.ts";
import { eventually, seeded, testSeed, within } from "../helpers/wait.ts";

/** SIGKILL between the two files: each message is in both of them once, and a cut is wholly there or not at all. */
describe("kill -9 between talaria.db and state.db", () => {
  let d: Deployment;
  let worker: TestProcess;
  const seed = testSeed();
  const random = seeded(seed);
  beforeAll(async () => {
    d = await startDeployment({ TALARIA_MAX_ATTEMPTS: "100" });
    worker = await d.startWorker();
  });
  afterAll(() => d.close());

  const begin = async (): Promise<string> => {
    const { id } = await d.createSession();
    await runToEnd(d, id, "first [[fake tokens=3]]");
    return id;
  };
  const endedIn = (runId: string): boolean =>
    readDb(sidecar(d), (db) =>
      db.prepare("select 1 from runs where id = ? and ended_at is not null").get(runId),
    ) !== undefined;
  /** Says which seed it was. */
  const withSeed = async (work: () => Promise<void>): Promise<void> => {
    try {
      await work();
    } catch (error) {
      throw new Error(`with TALARIA_TEST_SEED=${seed}`, { cause: error });
    }
  };

  test("worker killed after the commit, before the append: another process appends the turn, once", async () => {
    const id = await begin();
    const lock = holdLock(stateDb(d));
    const run = await d.startRun(id, "second [[fake tokens=4]]");
    await eventually("the run is committed", () => endedIn(run.id));
    await worker.kill();
    const locked = await allMessages(d, id);
    expect(locked.map(line).slice(-2)).toEqual([
      "user: second [[fake tokens=4]]",
      `assistant: ${expectedText(4)}`,
    ]);
    lock.end();
    worker = await d.startWorker();
    await expectSettled(d);
    expect(await expectTruth(d, id)).toHaveLength(4);
    expect((await d.getRun(run.id)).status).toBe("completed");
  });

  test("worker killed after the append, before the binding: shown once all the time", async () => {
    const id = await begin();
    const store = holdLock(stateDb(d));
    const run = await d.startRun(id, "second [[fake tokens=4]]");
    await eventually("the run is committed", () => endedIn(run.id));
    const side = holdLock(sidecar(d));
    store.end();
    try {
      await eventually("the turn is appended", () => rowsOf(stateDb(d), id).length === 4);
      await worker.kill();
      expect((await allMessages(d, id)).map(line)).toEqual(rowsOf(stateDb(d), id).map(line));
    } finally {
      side.end();
    }
    worker = await d.startWorker();
    await expectSettled(d);
    expect(await expectTruth(d, id)).toHaveLength(4);
    expect((await d.getRun(run.id)).status).toBe("completed");
  });

  test(
    "worker and api killed at any moment of a turn: every message once, everywhere",
    () =>
      withSeed(async () => {
        const id = await begin();
        for (let i = 0; i < 4; i++) {
          const run = await d.startRun(id, `again ${i} [[fake tokens=4]]`);
          const follower = d.follow(run.id);
          await new Promise((resolve) => setTimeout(resolve, random() * 80));
          const both = random() < 0.4;
          await Promise.all([worker.kill(), both ? d.api.kill() : null]);
          if (both) await d.startApi();
          worker = await d.startWorker();
          await within("the run ends", follower.ended);
          expect(follower.view.terminal?.event).toBe("done");
        }
        await expectSettled(d);
        expect(await expectTruth(d, id)).toHaveLength(10);
      }),
    120_000,
  );

  test("a turn that is undone while a lock keeps it out of state.db never comes back", async () => {
    const id = await begin();
    const lock = holdLock(stateDb(d));
    try {
      await runToEnd(d, id, "secret [[fake tokens=4]]");
      const undone = await d.request("POST", `/api/sessions/${id}/undo`, { turns: 1 });
      expect(undone.status).toBe(200);
      expect((await allMessages(d, id)).map(line)).toHaveLength(2);
    } finally {
      lock.end();
    }
    await expectSettled(d);
    await appendOutside(stateDb(d), id, 1);
    await eventually("the other row is shown", async () => (await allMessages(d, id)).length >= 3);
    expect(await expectTruth(d, id)).toHaveLength(3);
    expect(
      rowsOf(stateDb(d), id)
        .filter(({ active }) => active === 1)
        .map(line),
    ).not.toContain("user: secret [[fake tokens=4]]");
    await runToEnd(d, id, "next [[fake tokens=2]]");
    expect(JSON.stringify(d.model.requests().at(-1))).not.toContain("secret");
  });

  test("a session that is deleted while a lock keeps its first turn out of state.db never comes back", async () => {
    const kept = await begin();
    const { id } = await d.createSession();
    const lock = holdLock(stateDb(d));
    try {
      await runToEnd(d, id, "secret [[fake tokens=4]]");
      expect((await d.request("DELETE", `/api/sessions/${id}`)).status).toBeLessThan(300);
    } finally {
      lock.end();
    }
    await appendOutside(stateDb(d), kept, 1);
    await eventually("the file was looked at", async () => (await getSession(d, kept)).message_count === 3);
    await expectSettled(d);
    expect((await d.request("GET", `/api/sessions/${id}`)).status).toBe(404);
    await eventually("nothing of it is in state.db", () => rowsOf(stateDb(d), id).length === 0);
  });

  test(
    "api killed around undo, clear, fork, import and delete: wholly there or not at all",
    () =>
      withSeed(async () => {
        for (let i = 0; i < 4; i++) await killedRound(i);
      }),
    180_000,
  );

  async function killedRound(round: number): Promise<void> {
    const ids = await Promise.all(Array.from({ length: 4 }, begin));
    const [undone, cleared, forked, deleted] = ids as [string, string, string, string];
    await Promise.all(ids.map((id) => runToEnd(d, id, `last ${round} [[fake tokens=4]]`)));
    for (const id of ids) await appendOutside(stateDb(d), id, 2);
    const before = rowsOf(stateDb(d), forked).map(line);
    const title = `import ${round}`;
    const known = new Set((await sessions()).map(({ id }) => id));
    const post = (path: string, body: unknown) =>
      d.request<{ session?: Session }>("POST", path, body).catch(() => null);
    const answers = Promise.all([
      post(`/api/sessions/${undone}/undo`, { turns: 2 }),
      post(`/api/sessions/${cleared}/clear`, {}),
      post(`/api/sessions/${forked}/fork`, { title: `fork ${round}` }),
      post("/api/sessions/import", {
        talaria_export: 1,
        session: { title },
        messages: [
          { role: "user", content: "imported question", created_at: 1_700_000_100 },
          { role: "assistant", content: "imported answer", created_at: 1_700_000_000 },
        ],
      }),
      d.request("DELETE", `/api/sessions/${deleted}`).catch(() => null),
    ]);
    await new Promise((resolve) => setTimeout(resolve, random() * 30));
    await d.api.kill();
    const [undo, clear, fork, imported, remove] = await answers;
    await d.startApi();
    await expectSettled(d);

    const afterUndo = (await expectTruth(d, undone)).length;
    expect(undo?.status === 200 ? [2] : [2, 6]).toContain(afterUndo);
    const afterClear = (await expectTruth(d, cleared)).length;
    expect(clear?.status === 200 ? [0] : [0, 6]).toContain(afterClear);
    for (const id of [undone, cleared]) expectRewound(id);
    expect(await expectTruth(d, forked)).toHaveLength(6);

    const gone = (await d.request("GET", `/api/sessions/${deleted}`)).status === 404;
    if (remove !== null && remove.status < 300) expect(gone).toBe(true);
    const left = rowsOf(stateDb(d), deleted);
    // The other program's rows stay where they are.
    expect(left).toHaveLength(gone ? 2 : 6);

    const fresh = (await sessions()).filter(({ id }) => !known.has(id));
    const forks = fresh.filter((session) => session.title === `fork ${round}`);
    const imports = fresh.filter((session) => session.title === title);
    expect(forks.length + imports.length).toBe(fresh.length);
    expect(fork?.status === 201 ? [1] : [0, 1]).toContain(forks.length);
    expect(imported?.status === 201 ? [1] : [0, 1]).toContain(imports.length);
    for (const { id } of forks) {
      expect((await expectTruth(d, id)).map(line)).toEqual(before);
      expect(rowsOf(stateDb(d), id).map(line)).toEqual(before);
    }
    for (const { id } of imports)
      expect((await expectTruth(d, id)).map(line)).toEqual([
        "user: imported question",
        "assistant: imported answer",
      ]);
  }

  const sessions = async (): Promise<readonly Session[]> =>
    (await d.request<{ data: Session[] }>("GET", "/api/sessions?limit=200")).body.data;

  /** What we wrote and a person removed is out of the history that other programs see. */
  function expectRewound(sessionId: string): void {
    const shown = new Set(visibleRows(d, sessionId).map(({ id }) => id));
    const ours = new Set(
      readDb(sidecar(d), (db) =>
        db
          .prepare<[string], string>("select uid from messages where session_id = ? and uid is not null")
          .pluck()
          .all(sessionId),
      ),
    );
    const strays = rowsOf(stateDb(d), sessionId).filter(
      ({ id, active, content }) => active === 1 && !shown.has(id) && /^first|^last/.test(content),
    );
    expect(strays).toEqual([]);
    expect(ours.size).toBe(
      visibleRows(d, sessionId).filter(({ uid }) => uid !== null && ours.has(uid)).length,
    );
  }
});
