import { createDashboard } from "../../api/ops/dashboard.ts";
import { profileRedactor } from "../../api/profile-redactor.ts";
import { listProfiles } from "../../common/profiles/names.ts";
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
  const dashboard = createDashboard({
    connection,
    prefix: house.keys.prefix,
    profiles: async () => [...(await house.db.read.busyProfiles()), ...(await listProfiles(house.home))],
    redactorOf: (profile) => profileRedactor(house.home, profile),
    onError: () => {},
  });
  closeBeforeRedis(async () => {
    await dashboard.close();
    connection.disconnect();
  });
  return startApi({ ...options, house, dashboard: dashboard.handler });
};
