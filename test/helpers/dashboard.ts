import { openDashboard } from "../../api/open-dashboard.ts";
import { connectRedis } from "../../common/redis/connect.ts";
import { startApi, type TestApi, type TestApiOptions } from "./api-server.ts";
import { openHouse } from "./house.ts";
import { closeBeforeRedis, testRedisUrl } from "./redis.ts";

/** An app with its dashboard on. */
export const startApiWithDashboard = async (
  options: Omit<TestApiOptions, "house" | "dashboard"> = {},
): Promise<TestApi> => {
  const house = await openHouse();
  const connection = connectRedis(await testRedisUrl(), "queue-producer");
  const { db, home, keys } = house;
  const dashboard = await openDashboard({ connection, prefix: keys.prefix, home, db, onError: () => {} });
  closeBeforeRedis(async () => {
    await dashboard.close();
    connection.disconnect();
  });
  return startApi({ ...options, house, dashboard: dashboard.handler });
};
