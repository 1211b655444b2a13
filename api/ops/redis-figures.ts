import type { Redis } from "ioredis";
import type { OpsRedis } from "../../common/contracts/ops.ts";

/** What Redis says of itself without counting anything. Rejects when it cannot be reached. */
export const redisFigures = async (redis: Pick<Redis, "info" | "dbsize">): Promise<OpsRedis> => {
  const [memory, persistence, keys] = await Promise.all([
    redis.info("memory"),
    redis.info("persistence"),
    redis.dbsize(),
  ]);
  const max = figure(memory, "maxmemory") ?? 0;
  return {
    used_memory_bytes: figure(memory, "used_memory") ?? 0,
    peak_memory_bytes: figure(memory, "used_memory_peak") ?? 0,
    max_memory_bytes: max === 0 ? null : max,
    append_only_file_bytes: figure(persistence, "aof_current_size"),
    keys,
  };
};

const figure = (info: string, name: string): number | null => {
  const found = new RegExp(`^${name}:(\\d+)\\r?$`, "m").exec(info)?.[1];
  return found === undefined ? null : Number(found);
};
