import { expect, test } from "@jest/globals";
import type { TalariaDb } from "../../../common/talaria-db/open.ts";
import { withTalariaDb } from "../../helpers/talaria-db.ts";

const newJob = async (db: TalariaDb): Promise<string> => {
  const { session } = await db.sessions.create({ profile: "default" });
  const work = { sessionId: session.id, about: "first", input: "first" as const, manual: false };
  return (await db.write.putTitleJob(work))?.job.id ?? "";
};

test("B-40: a job that is given back is not given up, however often; one whose workers died is, after three", () =>
  withTalariaDb(async (db) => {
    const givenBack = await newJob(db);
    for (let attempt = 1; attempt <= 6; attempt++) {
      expect((await db.write.claimJob(givenBack, "w")).claimed?.job.attempt).toBe(attempt);
      expect(await db.write.handBackJob(givenBack, attempt)).toHaveLength(1);
      // Said twice, it counts once.
      expect(await db.write.handBackJob(givenBack, attempt)).toEqual([]);
      expect(await db.read.findJob(givenBack)).toMatchObject({ state: "queued", attempt });
    }
    const crashed = await newJob(db);
    for (let attempt = 1; attempt <= 3; attempt++) await db.write.claimJob(crashed, "w");
    expect((await db.write.claimJob(crashed, "w")).claimed).toBeNull();
    expect(await db.read.findJob(crashed)).toMatchObject({ state: "failed", reason: "worker_crashed" });
  }));

test("an older attempt gives nothing back", () =>
  withTalariaDb(async (db) => {
    const id = await newJob(db);
    await db.write.claimJob(id, "old");
    await db.write.claimJob(id, "new");
    expect(await db.write.handBackJob(id, 1)).toEqual([]);
    expect(await db.read.findJob(id)).toMatchObject({ state: "running", attempt: 2 });
  }));
