import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import { pino } from "pino";
import { archiveTask } from "../../../workers/maintenance/archive.ts";
import { leftoversTask } from "../../../workers/maintenance/leftovers.ts";
import { trimTask } from "../../../workers/maintenance/trim.ts";
import { type House, keepLog, loseLog, openHouse } from "../../helpers/house.ts";
import { readAll } from "../../helpers/journal.ts";
import { type PlayedRun, playRun } from "../../helpers/played-run.ts";
import { acceptMessage } from "../../helpers/talaria-db.ts";
import { pass } from "./harness.ts";

/** Archiving and trimming over a real journal and a real talaria.db, with another time of day. */
const HOUR_MS = 3_600_000;
const log = pino({ level: "silent" });
let house: House;
beforeAll(async () => {
  house = await openHouse();
});
afterAll(() => house.close());

const session = async (): Promise<string> =>
  (await house.db.sessions.create({ profile: "default" })).session.id;
const begin = async (sessionId: string): Promise<PlayedRun> => {
  const run = await acceptMessage(house.db, sessionId);
  await house.lifecycle.dispatcher.settled();
  const played = playRun(house, { sessionId, runId: run.id });
  await played.claim();
  await played.tokens(20);
  return played;
};
const ended = async (sessionId: string): Promise<PlayedRun> => {
  const played = await begin(sessionId);
  await played.end();
  return played;
};
const archive = (laterMs = 0) =>
  archiveTask({
    ...{ read: house.db.read, journal: house.journal, log },
    nowS: () => (Date.now() + laterMs) / 1000,
  });
const trim = (laterMs: number) =>
  trimTask({
    ...{ read: house.db.read, journal: house.journal, retentionMs: 24 * HOUR_MS },
    now: () => Date.now() + laterMs,
  });
const isArchived = async ({ runId }: PlayedRun): Promise<boolean> =>
  (await house.db.archive.get(runId)) !== null;

describe("archiving", () => {
  test("makes what is missing, once; runs in progress and runs that Redis has lost keep nothing up", async () => {
    const lost = await ended(await session());
    await loseLog(house, lost.sessionId);
    const [one, two] = [await ended(await session()), await ended(await session())];
    const open = await begin(await session());
    const first = await pass(archive());
    expect(first.done).toBe(2);
    expect(await Promise.all([one, two, lost, open].map(isArchived))).toEqual([true, true, false, false]);
    // What ended a moment ago is looked at again: others may become visible late.
    expect(first.mark).toBeLessThan(Date.now() / 1000 - 30);
    expect((await pass(archive(), first.mark)).done).toBe(0);
    await open.end();
    expect((await pass(archive(), first.mark)).done).toBe(1);
  });

  test("the mark never goes past a run whose end is still to be told", async () => {
    const run = await begin(await session());
    const { generation } = (await house.db.read.findRecord(run.runId)) ?? { generation: 0 };
    const outcome = { status: "completed", messages: [], usage: null, error: null } as const;
    const result = await house.db.write.commitRun(run.runId, generation, outcome);
    await ended(await session());
    // An hour later: without that end, everything would be behind the mark.
    const before = await pass(archive(HOUR_MS));
    expect(await isArchived(run)).toBe(false);
    if (result.kind === "committed")
      await house.lifecycle.settler.release(result, { view: "complete", lastRunSeq: 0 });
    const after = await pass(archive(HOUR_MS), before.mark);
    expect(await isArchived(run)).toBe(true);
    const endedAt = (await house.db.runs.get(run.runId)).ended_at ?? 0;
    expect(before.mark).toBeLessThan(endedAt);
    expect(after.mark).toBeGreaterThan(endedAt - 1);
    expect((await pass(archive(HOUR_MS), after.mark)).done).toBe(0);
  });

  test("a run that is journaled again after Redis lost it has its archive at once: the mark is past it", async () => {
    const run = await ended(await session());
    await loseLog(house, run.sessionId);
    const { mark } = await pass(archive(HOUR_MS));
    await house.lifecycle.control.rejournal(run.runId);
    expect((await pass(archive(), mark)).done).toBe(0);
    expect(await isArchived(run)).toBe(true);
  });

  test("stops between runs when it is told to", async () => {
    await ended(await session());
    const stop = new AbortController();
    stop.abort(new Error("stop"));
    await expect(pass(archive(), null, { signal: stop.signal })).rejects.toThrow("stop");
  });
});

describe("trimming", () => {
  test("what came due while nobody ran is trimmed, whole runs only; the archive replays it", async () => {
    const id = await session();
    const old = await ended(id);
    const newer = await begin(id);
    await pass(archive());
    const whole = await readAll(house.journal, id);
    const early = await pass(trim(0));
    expect(early.done).toBe(0);
    // Days later, and nothing ran in between. The run in progress stays with everything behind its begin.
    const late = await pass(trim(72 * HOUR_MS), early.mark);
    expect(late.done).toBeGreaterThan(0);
    expect(await house.redis.exists(house.keys.run(id, old.runId))).toBe(0);
    expect(await house.redis.exists(house.keys.run(id, newer.runId))).toBe(1);
    expect(await readAll(house.journal, id)).toEqual(whole);
    await newer.tokens(3);
    await newer.end();
    expect((await readAll(house.journal, id)).length).toBeGreaterThan(whole.length + 3);
    // Its archive is younger than the mark, and found when its time has come.
    await pass(archive());
    const again = await pass(trim(72 * HOUR_MS), Date.now() - HOUR_MS);
    expect(again.done).toBe(1);
    expect(await house.redis.xlen(house.keys.log(id))).toBe(0);
  });

  test("many archives of one moment are all looked at, page after page", async () => {
    const at = Date.now() - 60 * HOUR_MS;
    const runs = await Promise.all(Array.from({ length: 7 }, async () => ended(await session())));
    for (const { runId, sessionId } of runs)
      await house.db.archive.put({
        ...{ runId, sessionId, firstSeq: 1, lastSeq: 2, lastRunSeq: 2, lastAttempt: 1, lastGeneration: 1 },
        ...{ entryCount: 0, archivedAtMs: at, data: new Uint8Array() },
      });
    const seen: string[] = [];
    let place = at - 1;
    for (let n = 0; n < 10; n++) {
      const { sessionIds, toMs, more } = await house.db.read.sessionsArchived(place, at + 1, 3);
      seen.push(...sessionIds);
      place = toMs;
      if (!more) break;
    }
    expect(seen.sort()).toEqual(runs.map(({ sessionId }) => sessionId).sort());
  });
});

describe("journals of deleted sessions", () => {
  test("what Redis still has of them goes; those that live, and one that came back, stay", async () => {
    const [gone, alive] = [await ended(await session()), await ended(await session())];
    const restore = await keepLog(house, gone.sessionId);
    await house.lifecycle.control.deleteSession(gone.sessionId);
    await restore();
    expect(await house.journal.head(gone.sessionId)).not.toBeNull();
    const files: number[] = [];
    const task = leftoversTask({
      ...{ read: house.db.read, journal: house.journal },
      removeFiles: async (ms) => files.push(ms),
    });
    expect(await pass(task)).toMatchObject({ done: 2, mark: 0, more: { journals: 1, files: 1 } });
    expect(files).toEqual([24 * HOUR_MS]);
    expect(await house.journal.head(gone.sessionId)).toBeNull();
    expect(await house.journal.head(alive.sessionId)).not.toBeNull();
    expect(await pass(task)).toMatchObject({ more: { journals: 0 } });
  });
});
