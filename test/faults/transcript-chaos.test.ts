import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import type { CutAnswer } from "../../common/contracts/http.ts";
import type { Run } from "../../common/contracts/run.ts";
import { type Deployment, startDeployment } from "../helpers/deployment.ts";
import { type Outside, readDb, rowsOf, startOutside } from "../helpers/outside.ts";
import type { TestProcess } from "../helpers/process.ts";
import {
  allMessages,
  expectSettled,
  expectTruth,
  getSession,
  line,
  runToEnd,
  sentTo,
  sidecar,
  stateDb,
  visibleRows,
} from "../helpers/truth.ts";
import { eventually, seeded, testSeed, within } from "../helpers/wait.ts";

const SESSIONS = 4;
const CHAOS_MS = 20_000;

/** Runs, undos and another program's appends in four sessions, while api and worker are killed: one transcript, everywhere. */
describe("chaos around state.db", () => {
  let d: Deployment;
  let worker: TestProcess;
  beforeAll(async () => {
    d = await startDeployment({ TALARIA_MAX_ATTEMPTS: "100" });
    worker = await d.startWorker();
  });
  afterAll(() => d.close());

  test("sidecar, state.db, counts and the model's context agree in the end, and every accepted run ended once", async () => {
    const seed = testSeed();
    try {
      await chaos(seeded(seed));
    } catch (error) {
      throw new Error(`with TALARIA_TEST_SEED=${seed}`, { cause: error });
    }
  }, 120_000);

  const chaos = async (random: () => number): Promise<void> => {
    const ids: string[] = [];
    for (let i = 0; i < SESSIONS; i++) {
      const { id } = await d.createSession();
      await runToEnd(d, id, `begin ${i} [[fake tokens=3]]`);
      ids.push(id);
    }
    const pick = <T>(from: readonly T[]): T => from[Math.floor(random() * from.length)] as T;
    const accepted: Run[] = [];
    const removed = new Map<string, Set<string>>(ids.map((id) => [id, new Set()]));
    const writers: Outside[] = ids.map((id, i) =>
      startOutside(
        ...([stateDb(d), "--append", id, "60", "--now", "--multimodal", "0", "--tool-ratio", "0"] as const),
        ...["--interval-ms", String(200 + 60 * i), "--per-commit", String(1 + (i % 2)), "--seed", String(i)],
      ),
    );

    /** A request that may meet a dead api: null then, and the change may have been made or not. */
    const ask = <T>(path: string, body: unknown) => d.request<T>("POST", path, body).catch(() => null);
    const start = async (): Promise<void> => {
      const id = pick(ids);
      const input = `run ${accepted.length} [[fake tokens=${3 + Math.floor(random() * 20)} rate=40]]`;
      const answer = await ask<{ run: Run }>(`/api/sessions/${id}/runs`, { input, on_busy: "queue" });
      if (answer?.status === 202) accepted.push(answer.body.run);
    };
    const undo = async (): Promise<void> => {
      const idle = await Promise.all(ids.map((id) => getSession(d, id))).catch(() => []);
      const id = idle.find((session) => session?.active_run_id === null)?.id;
      if (id === undefined) return;
      const before = await allMessages(d, id).catch(() => null);
      const answer = await ask<CutAnswer>(`/api/sessions/${id}/undo`, { turns: 1 });
      if (answer?.status !== 200 || before === null) return;
      // The last prompt that was seen before, or a later one, was taken away with all that followed it; ours are known by their run.
      const after = await allMessages(d, id).catch(() => null);
      if (after === null) return;
      const left = new Set(after.map((message) => message.id));
      for (const message of before) if (!left.has(message.id)) removed.get(id)?.add(message.id);
    };
    const faults = [
      async () => {
        await worker.kill();
        worker = await d.startWorker();
      },
      async () => {
        await d.api.kill();
        await d.startApi();
      },
      async () => {
        await Promise.all([worker.kill(), d.api.kill()]);
        await d.startApi();
        worker = await d.startWorker();
      },
    ];
    const end = performance.now() + CHAOS_MS;
    const people = async (): Promise<void> => {
      while (performance.now() < end) {
        await (random() < 0.65 ? start() : undo());
        await new Promise((resolve) => setTimeout(resolve, 50 + random() * 250));
      }
    };
    const killer = async (): Promise<void> => {
      while (performance.now() < end) {
        await new Promise((resolve) => setTimeout(resolve, random() * 1_500));
        await pick(faults)();
      }
    };
    await Promise.all([people(), killer()]);
    await within("the other writers end", Promise.all(writers.map(({ ended }) => ended)));
    await eventually("no run is left", () => unfinished() === 0, 40_000);
    await expectSettled(d);

    for (const id of ids) {
      const messages = await expectTruth(d, id);
      for (const { id: messageId } of messages) expect(removed.get(id)?.has(messageId)).toBe(false);
      // What we wrote and a person removed is out of the history that others see.
      const shown = new Set(visibleRows(d, id).map((row) => row.id));
      const strays = rowsOf(stateDb(d), id).filter(
        (row) => row.active === 1 && !shown.has(row.id) && /^(run|begin) \d/.test(row.content),
      );
      expect(strays).toEqual([]);
      const last = `last in ${id} [[fake tokens=2]]`;
      await runToEnd(d, id, last);
      expect(sentTo(d)).toEqual([
        ...messages.filter(({ role }) => role !== "notice").map(line),
        `user: ${last}`,
      ]);
    }
    // Enough of it happened, or this was no test.
    expect(accepted.length).toBeGreaterThan(5);
    expect([...removed.values()].some(({ size }) => size > 0)).toBe(true);
    for (const run of accepted) {
      const { status, ended_at: endedAt } = await d.getRun(run.id);
      expect([run.id, status, endedAt === null]).toEqual([run.id, "completed", false]);
    }
    await expectEndedOnce(accepted);
  };

  const unfinished = (): number =>
    readDb(sidecar(d), (db) =>
      Number(db.prepare("select count(*) from runs where ended_at is null").pluck().get()),
    );

  const expectEndedOnce = async (runs: readonly Run[]): Promise<void> => {
    for (const run of runs) {
      const follower = d.follow(run.id);
      await within("the run's stream ends", follower.ended);
      const ends = follower.frames.filter(({ event }) =>
        ["done", "cancel", "apperror", "interrupted"].includes(event),
      );
      expect(ends.map(({ event }) => event)).toEqual(["done"]);
    }
  };
});
