import { setTimeout as pause } from "node:timers/promises";
import { expect, test } from "@jest/globals";
import { createHub } from "../../../api/sse/hub.ts";
import { createJournalWriter } from "../../../common/journal/writer.ts";
import { connectRedis } from "../../../common/redis/connect.ts";
import { counted, token, withJournal } from "../../helpers/journal.ts";
import { freshPrefix } from "../../helpers/redis.ts";

const S = "s_1";
const RUN_MS = 4_000;
const PER_SECOND = 1_000;

test("seam-stress: 50 clients that come and go at random apply 1..N, in order, once", () =>
  withJournal(async ({ journal, redis, keys, url }) => {
    const blocking = connectRedis(url, "blocking");
    const hub = createHub({ journal, redis, blocking, keys, id: freshPrefix() });
    const writer = { sessionId: S, runId: "run_a", generation: 1, attempt: 1 };
    await journal.claim(writer, 0);
    const output = createJournalWriter(journal, writer);
    let total = 0;
    const produced = (async () => {
      const start = performance.now();
      for (let now = 0; now < RUN_MS; now = performance.now() - start) {
        for (; total < (now * PER_SECOND) / 1_000; total++) await output.push(token(`${total + 1}`));
        await pause(2);
      }
      await output.finish([{ event: "done", data: "{}" }]);
      return ++total;
    })();

    const client = async (random: () => number): Promise<readonly number[]> => {
      const applied: number[] = [];
      let ended = false;
      for (let visits = 1; !ended; visits++) {
        const leave = new AbortController();
        // Some leave after a number of entries, some after a time, some in the middle of a batch.
        const most = Math.floor(random() * 400);
        // On a machine that is busy with other things they grow patient: who always left before the first batch would never end.
        const timer = setTimeout(() => leave.abort(), random() * 120 * Math.max(1, visits / 50));
        let got = 0;
        for await (const batch of hub.follow(S, { seq: applied.at(-1) ?? 0, generation: -1 }, leave.signal)) {
          for (const entry of batch) {
            applied.push(entry.seq);
            ended ||= entry.event === "done";
            if (++got > most) break;
          }
          if (ended || got > most) break;
        }
        clearTimeout(timer);
        await pause(random() * 40);
      }
      return applied;
    };
    const all = await Promise.all(counted(1, 50).map((seed) => client(randomFrom(seed))));
    const last = await produced;
    expect(last).toBeGreaterThan((RUN_MS / 1_000) * PER_SECOND * 0.5);
    for (const applied of all) expect(applied).toEqual(counted(1, last));
    expect(hub.stats).toMatchObject({ followers: 0, sessions: 0 });
    await hub.close();
  }));

/** mulberry32: the same numbers for the same seed. */
const randomFrom = (seed: number): (() => number) => {
  let state = seed * 0x9e3779b9;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
};
