import { TalariaError } from "../common/base/errors.ts";
import type { Rounds } from "../common/base/rounds.ts";
import { startRounds } from "../common/base/rounds.ts";
import type { Config } from "../common/config/schema.ts";
import { refusalOf } from "../common/deliveries/address.ts";
import { loadVapidKeys, vapidKeysFile } from "../common/deliveries/vapid-keys.ts";
import type { RunControl } from "../common/lifecycle/port.ts";
import type { TalariaDb } from "../common/talaria-db/open.ts";
import type { Auth } from "./middleware/auth.ts";
import type { PushRoutesDeps } from "./routes/push.ts";
import type { WebhookRoutesDeps } from "./routes/webhooks.ts";

export interface DeliveryCalls {
  readonly webhooks: Omit<WebhookRoutesDeps, "sessions">;
  readonly push: PushRoutesDeps;
}

/** What the routes of webhooks and push ask of talaria.db. What a call decided is told at once. */
export const deliveryCalls = async (
  { read, write }: Pick<TalariaDb, "read" | "write">,
  control: Pick<RunControl, "tell">,
  {
    deliveries,
    stateDir,
  }: Pick<Config, "stateDir"> & { readonly deliveries: Pick<Config["deliveries"], "privateTargets"> },
): Promise<DeliveryCalls> => {
  const check = (text: string, push: boolean): void => {
    const refusal = refusalOf(text, deliveries, push);
    if (refusal !== null)
      throw new TalariaError("address_refused", `This address cannot be used: ${refusal}.`);
  };
  return {
    webhooks: {
      checkTarget: (url) => check(url, false),
      createWebhook: (sessionId, given) => write.createWebhook(sessionId, given),
      webhooksOf: (sessionId) => read.webhooksOf(sessionId),
      findWebhook: (id) => read.findWebhook(id),
      deleteWebhook: (id) => write.deleteWebhook(id),
      deliveriesOf: (webhookId, query) => read.deliveriesOf(webhookId, query),
      deliveriesIn: (query) => read.deliveriesIn(query),
      findDelivery: (id) => read.findDelivery(id),
      retryDelivery: async (id) => {
        const made = await write.retryDelivery(id);
        await control.tell(made?.outbox ?? []);
        return made?.delivery ?? null;
      },
    },
    push: {
      publicKey: (await loadVapidKeys(vapidKeysFile(stateDir))).publicKey,
      checkService: (endpoint) => check(endpoint, true),
      putSubscription: (owner, given) => write.putSubscription(owner, given),
      subscriptionsOf: (owner) => read.subscriptionsOf(owner),
      deleteSubscription: (owner, id) => write.deleteSubscription(owner, id),
    },
  };
};

/** How often it is looked for logins that have ended by themselves, or with another password. */
const LOOK_EVERY_MS = 10 * 60_000;

/** Forgets the browsers of logins that have ended, at the start and every few minutes, so that they are told nothing more. */
export const watchPushOwners = (
  { read, write }: Pick<TalariaDb, "read" | "write">,
  auth: Pick<Auth, "holds">,
  onError: (error: unknown) => void,
): Rounds =>
  startRounds({
    work: async () => {
      for (const owner of await read.subscriptionOwners())
        if (!(await auth.holds(owner))) await write.dropSubscriptions(owner);
    },
    pauseMs: () => LOOK_EVERY_MS,
    onError,
  });
