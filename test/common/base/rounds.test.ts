import { expect, test } from "@jest/globals";
import { startRounds } from "../../../common/base/rounds.ts";

test("one pass at a time; one that is asked for comes behind the one under way; none begins after the close", async () => {
  const passes: PromiseWithResolvers<void>[] = [];
  let running = 0;
  let most = 0;
  const rounds = startRounds({
    work: async () => {
      most = Math.max(most, ++running);
      const pass = Promise.withResolvers<void>();
      passes.push(pass);
      await pass.promise;
      running--;
    },
    pauseMs: () => 60_000,
    onError: (error) => {
      throw error;
    },
  });
  await Promise.resolve();
  const asked = rounds.now();
  expect(passes).toHaveLength(1);
  passes[0]?.resolve();
  await rounds.first;
  while (passes.length < 2) await Promise.resolve();
  let isClosed = false;
  const closed = rounds.close().then(() => {
    isClosed = true;
  });
  await Promise.resolve();
  expect(isClosed).toBe(false);
  passes[1]?.resolve();
  await Promise.all([asked, closed]);
  await rounds.now();
  expect([passes.length, most]).toEqual([2, 1]);
});

test("a pass that fails is told of, and the next one follows after the pause", async () => {
  const failed: unknown[] = [];
  const second = Promise.withResolvers<void>();
  let passes = 0;
  const rounds = startRounds({
    work: async () => {
      if (++passes === 1) throw new Error("no");
      second.resolve();
    },
    pauseMs: () => 1,
    onError: (error) => failed.push(error),
  });
  await second.promise;
  await rounds.close();
  expect(failed).toEqual([new Error("no")]);
});
