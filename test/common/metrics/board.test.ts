import { expect, test } from "@jest/globals";
import { pino } from "pino";
import { createFiguresBoard } from "../../../common/metrics/board.ts";
import { createFigures } from "../../../common/metrics/figures.ts";
import { connectRedis } from "../../../common/redis/connect.ts";
import { showFigures } from "../../../workers/consume/show-figures.ts";
import { freshPrefix, testRedisUrl } from "../../helpers/redis.ts";

const family = (value: number) => ({
  ...{ name: "talaria_x_total", help: "x", type: "counter" as const },
  values: [{ value, labels: { kind: "runs" } }],
});

test("a process' last word is shown for a minute, then forgotten; what nobody understands, too", async () => {
  const redis = connectRedis(await testRedisUrl(), "command");
  const key = `${freshPrefix()}:figures`;
  let now = 1_000;
  const board = createFiguresBoard(redis, key, () => now);
  try {
    await board.put({ process: "worker-b", families: [family(1)] });
    await board.put({ process: "worker-a", families: [family(2)] });
    await redis.hset(key, "worker-other", '{"at":"yesterday"}', "worker-broken", "{");
    expect((await board.all()).map(({ process }) => process)).toEqual(["worker-a", "worker-b"]);
    expect(await redis.hkeys(key)).toHaveLength(2);
    now += 59;
    await board.put({ process: "worker-a", families: [family(3)] });
    expect(await board.all()).toHaveLength(2);
    now += 2;
    expect(await board.all()).toEqual([{ process: "worker-a", families: [family(3)] }]);
    expect(await redis.hkeys(key)).toEqual(["worker-a"]);
  } finally {
    await redis.del(key);
    redis.disconnect();
  }
});

test("what workers left goes also where nobody asks: with the next one that starts, and ten minutes after the last", async () => {
  const redis = connectRedis(await testRedisUrl(), "command");
  const key = `${freshPrefix()}:figures`;
  let now = 1_000;
  const board = createFiguresBoard(redis, key, () => now);
  try {
    await board.put({ process: "worker-a", families: [family(1)] });
    expect(await redis.ttl(key)).toBeGreaterThan(590);
    now += 61;
    const shown = await showFigures(
      board,
      "worker-b",
      { families: async () => [family(2)] },
      pino({ level: "silent" }),
    );
    expect(await redis.hkeys(key)).toEqual(["worker-b"]);
    await shown.close();
  } finally {
    await redis.del(key);
    redis.disconnect();
  }
});

test("what a process tells of itself survives the way, whatever Node has not measured yet", async () => {
  const redis = connectRedis(await testRedisUrl(), "command");
  const key = `${freshPrefix()}:figures`;
  try {
    const families = await createFigures().families();
    const board = createFiguresBoard(redis, key);
    await board.put({ process: "worker-a", families });
    const [told] = await board.all();
    expect(told?.families).toEqual(families);
    expect(families.map(({ name }) => name)).toContain("process_resident_memory_bytes");
  } finally {
    await redis.del(key);
    redis.disconnect();
  }
});
