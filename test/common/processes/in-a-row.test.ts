import { expect, test } from "@jest/globals";
import type { TalariaDb } from "../../../common/talaria-db/open.ts";
import { acceptMessage, withTalariaDb } from "../../helpers/talaria-db.ts";

/** Carries a run out, as a worker and the dispatcher do: afterwards nothing of it is left to be told. */
const carryOut = async (db: TalariaDb, runId: string): Promise<void> => {
  const claimed = await db.write.claimRun(runId, "worker-1", "job-1", 3);
  if (claimed.kind !== "claimed") throw new Error(`not claimed: ${claimed.kind}`);
  const { run, generation } = claimed.record;
  const messages = [{ role: "assistant", content: "ok", status: "complete" }] as const;
  const outcome = { status: "completed", messages, usage: null, error: null } as const;
  const committed = await db.write.commitRun(runId, generation, outcome);
  if (committed.kind !== "committed") throw new Error(`not committed: ${committed.kind}`);
  await db.write.outboxDone(committed.outbox);
  await db.write.finishDone(runId, run.session_id, 0);
};

test("25 turns in a row are begun for ended processes; the next end is only shown, until a person says something", () =>
  withTalariaDb(async (db) => {
    const { session } = await db.sessions.create({ profile: "default" });
    const end = async (id: string) => {
      const start = { id, sessionId: session.id, profile: "default", runId: "run_x", command: "true" };
      await db.write.startProcess({ ...start, worker: "w", notify: true }, 8);
      await db.write.endProcess(id, "w", { reason: "exited", exitCode: 0, signal: null, output: "ok" });
      const { run, again } = await db.write.wakeSession(session.id, null, 0);
      expect(again).toBe(false);
      return { run, completion: (await db.read.findProcess(id))?.process.completion };
    };

    for (let n = 1; n <= 25; n++) {
      const { run, completion } = await end(`proc_${n}`);
      expect([n, run?.source, completion]).toEqual([n, "process", "started"]);
      await carryOut(db, run?.id ?? "");
    }
    expect(await end("proc_26")).toEqual({ run: null, completion: "told" });
    const [notice] = await db.read.sidecarBefore(session.id, Number.MAX_SAFE_INTEGER, 0, 1);
    expect(notice).toMatchObject({ role: "notice", source: "process" });
    expect(notice?.content).toContain("Many turns were begun by the system one after another");

    await carryOut(db, (await acceptMessage(db, session.id)).id);
    expect(await end("proc_27")).toMatchObject({ run: { source: "process" }, completion: "started" });
  }));
