import { test } from "@jest/globals";
import { startRedis } from "../../helpers/redis.ts";
import { connectRedis } from "../../../common/redis/connect.ts";
test("x", async () => {
  const server = await startRedis({ appendonly: true });
  const redis = connectRedis(server.url, "command");
  await redis.set("a", "1");
  await server.kill();
  await redis.get("a").catch(() => {});
  const again = await startRedis({ appendonly: true, dir: server.dir, port: server.port });
  await redis.get("a").catch(() => {});
  await again.stop();
  redis.disconnect();
  for (const d of [0, 500, 1000, 1000, 1000]) { await new Promise((f) => setTimeout(f, d)); console.log(d, redis.status, process.getActiveResourcesInfo()); }
});
