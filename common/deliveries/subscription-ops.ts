import { createHash } from "node:crypto";
import type Database from "better-sqlite3";
import type { Clock } from "../base/clock.ts";
import { TalariaError } from "../base/errors.ts";
import type { PushBrowser, PushSubscriptionBody } from "../contracts/push.ts";
import type { SubscriptionRow } from "./rows.ts";

/** Browsers of one login, and of all of them: each end of a run is told to every one. */
const MAX_PER_OWNER = 10;
const MAX = 200;

/** Browsers that are told by Web Push; run inside the store's threads. */
export const createSubscriptionOps = (db: Database.Database, now: Clock) => {
  const byId = db.prepare<[string], SubscriptionRow>("select * from push_subscriptions where id = ?");
  const counts = db.prepare<[string], { own: number; all: number }>(
    'select count(*) filter (where owner = ?) as own, count(*) as "all" from push_subscriptions',
  );
  const put = db.prepare<[string, string, string, string, string, number]>(
    `insert into push_subscriptions (id, owner, endpoint, p256dh, auth, created_at) values (?, ?, ?, ?, ?, ?)
     on conflict (id) do update set owner = excluded.owner, p256dh = excluded.p256dh, auth = excluded.auth`,
  );
  const remove = db.prepare<[string, string]>("delete from push_subscriptions where id = ? and owner = ?");
  const removeOf = db.prepare<[string]>("delete from push_subscriptions where owner = ?");

  return {
    /**
     * A browser that says the same again is the same one, and belongs to whoever said it last. Throws `conflict` when there are as
     * many as there may be.
     */
    putSubscription(owner: string, { endpoint, keys }: PushSubscriptionBody): PushBrowser {
      const id = `push_${createHash("sha256").update(endpoint).digest("base64url").slice(0, 32)}`;
      const known = byId.get(id);
      const { own, all } = counts.get(owner) ?? { own: 0, all: 0 };
      if (known?.owner !== owner && (own >= MAX_PER_OWNER || (known === undefined && all >= MAX)))
        throw new TalariaError("conflict", `a login has at most ${MAX_PER_OWNER} browsers that are told`);
      const created_at = known?.created_at ?? now();
      put.run(id, owner, endpoint, keys.p256dh, keys.auth, created_at);
      return browserOf({ id, endpoint, created_at });
    },
    /** Takes what waits for it with it; false: this owner has none of that id. */
    deleteSubscription: (owner: string, id: string): boolean => remove.run(id, owner).changes === 1,
    /** A login has ended: its browsers are told nothing more. */
    dropSubscriptions: (owner: string): number => removeOf.run(owner).changes,
  };
};

export const createSubscriptionReadOps = (db: Database.Database) => {
  const of = db.prepare<[string], SubscriptionRow>(
    "select * from push_subscriptions where owner = ? order by created_at, id",
  );
  const owners = db.prepare<[], string>("select distinct owner from push_subscriptions").pluck();
  return {
    subscriptionsOf: (owner: string): PushBrowser[] => of.all(owner).map(browserOf),
    subscriptionOwners: (): string[] => owners.all(),
  };
};

const browserOf = ({
  id,
  endpoint,
  created_at,
}: Pick<SubscriptionRow, "id" | "endpoint" | "created_at">): PushBrowser => ({
  ...{ id, service: URL.parse(endpoint)?.host ?? "", created_at },
});
