import type { Config } from "../../common/config/schema.ts";
import { loadVapidKeys, vapidKeysFile } from "../../common/deliveries/vapid-keys.ts";
import { createDeliver, type DeliverDeps } from "./deliver.ts";
import { createPost } from "./post.ts";

/** What sends webhooks and push messages in this worker. */
export const openDeliver = async (
  { deliveries, stateDir }: Pick<Config, "deliveries" | "stateDir">,
  deps: Pick<DeliverDeps, "write" | "workerName" | "handBack" | "log">,
): Promise<ReturnType<typeof createDeliver>> =>
  createDeliver({
    ...deps,
    post: createPost({ timeoutMs: deliveries.timeoutMs, privateTargets: deliveries.privateTargets }),
    vapid: { keys: await loadVapidKeys(vapidKeysFile(stateDir)), contact: deliveries.pushContact },
    publicUrl: deliveries.publicUrl,
    delaysS: deliveries.delaysS,
  });
