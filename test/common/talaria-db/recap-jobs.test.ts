import { expect, test } from "@jest/globals";
import { withTalariaDb } from "../../helpers/talaria-db.ts";

const WORK = { kind: "recap", after: "msg_last" } as const;
const BULLETS = ["The tests are still open."];

test("B-33: a card that a model has told is not told again, also when its job was forgotten; one without a model is", () =>
  withTalariaDb(async (db) => {
    const { session } = await db.sessions.create({ profile: "default" });
    const tell = async (by: "model" | "fallback") => {
      const id = (await db.write.putRecapJob(session.id, WORK))?.job.id ?? "";
      const attempt = (await db.write.claimJob(id, "w")).claimed?.job.attempt ?? 0;
      await db.write.applyRecap(id, attempt, { ...WORK, bullets: BULLETS, generated_by: by }, null);
    };
    const forget = async () => {
      expect(await db.write.forgetJobs(Number.MAX_SAFE_INTEGER, 10)).toBe(1);
    };
    await tell("fallback");
    await forget();
    expect((await db.write.putRecapJob(session.id, WORK))?.job.state).toBe("queued");
    await tell("model");
    const [card] = await db.read.recapsBehind(session.id, [WORK.after]);
    expect(card).toMatchObject({ generated_by: "model", bullets: BULLETS });
    await forget();

    const made = await db.write.putRecapJob(session.id, WORK);
    expect(made?.job).toMatchObject({ state: "done", reason: null, attempt: 0, result: { recap: card } });
    expect(await db.read.findJob(made?.job.id ?? "")).toEqual(made?.job);
    expect((await db.write.claimJob(made?.job.id ?? "", "w")).claimed).toBeNull();
    expect(await db.read.recapsBehind(session.id, [WORK.after])).toEqual([card]);
    // Asked once more, it is found as any other that has ended.
    expect(await db.write.putRecapJob(session.id, WORK)).toEqual({ job: made?.job, outbox: [] });
  }));
