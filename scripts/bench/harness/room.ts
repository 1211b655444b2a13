import { join } from "node:path";
import { pino } from "pino";
import { createHub } from "../../../api/sse/hub.ts";
import type { Hub } from "../../../api/sse/port.ts";
import { type Backbone, openBackbone } from "../../../common/backbone/open.ts";
import { loadConfig } from "../../../common/config/load.ts";
import { connectRedis } from "../../../common/redis/connect.ts";
import type { BenchContext } from "./bench.ts";
import { startBenchRedis } from "./redis-server.ts";
import { stackEnv } from "./stack.ts";

/** The stores of an api process with their threads, mirror and hub, inside the benchmark: what HTTP costs is left out. */
export interface Room extends Backbone {
  readonly hub: Hub;
  close(): Promise<void>;
}

const CLOSE_MS = 20_000;

/** Opens the home in `context.dir`, as `startStack` does. */
export const openRoom = async (context: BenchContext): Promise<Room> => {
  const bench = await startBenchRedis(context.processes, context.dir);
  const config = loadConfig(stackEnv(context.dir, bench.url));
  const log = pino({ level: "warn" }, pino.destination(join(context.dir, "room.log")));
  const backbone = await openBackbone(config, "api", log);
  const { closers, journal, keys, redis, name } = backbone;
  const blocking = connectRedis(bench.url, "blocking");
  closers.add("hub connection", () => blocking.disconnect());
  const hub = createHub({ journal, redis, blocking, keys, id: name, log });
  closers.add("hub", () => hub.close());
  return {
    ...backbone,
    hub,
    close: async () => {
      const failed = await closers.close(CLOSE_MS);
      await bench.end();
      if (failed.length > 0) throw new Error(`did not close: ${failed.join(", ")}`);
    },
  };
};
