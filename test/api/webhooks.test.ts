import { stat } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, test } from "@jest/globals";
import type { Delivery } from "../../common/contracts/delivery.ts";
import type { PushBrowser } from "../../common/contracts/push.ts";
import type { MadeWebhook, Webhook } from "../../common/contracts/webhook.ts";
import type { Outcome } from "../../common/runs/ledger.ts";
import { newSession, postJson, startRunIn, type TestApi, withApi } from "../helpers/api-server.ts";
import { createPushBrowser } from "../helpers/push-browser.ts";

const PUBLIC = "https://hooks.example/talaria";
const json = { "content-type": "application/json" };

const post = async <T>(api: TestApi, path: string, body: unknown): Promise<{ status: number; body: T }> => {
  const answer = await postJson(api.url + path, body);
  return { status: answer.status, body: (await answer.json()) as T };
};
const get = async <T>(api: TestApi, path: string): Promise<T> =>
  (await (await fetch(api.url + path)).json()) as T;
const remove = async (api: TestApi, path: string): Promise<number> =>
  (await fetch(api.url + path, { method: "DELETE", headers: json, body: "{}" })).status;
type Refused = { error: { code: string; message: string } };

const DONE: Outcome = {
  status: "completed",
  messages: [{ role: "assistant", content: "done", status: "complete" }],
  usage: null,
  error: null,
};
/** A run that ends, as its worker commits it. */
const end = async (api: TestApi, sessionId: string): Promise<string> => {
  const { runId } = await startRunIn(api, sessionId);
  const claimed = await api.db.write.claimRun(runId, "w", null, 3);
  if (claimed.kind !== "claimed") throw new Error(claimed.kind);
  await api.db.write.commitRun(runId, claimed.record.generation, DONE);
  await api.db.write.finishDone(runId, sessionId, 0);
  return runId;
};

const REFUSED: readonly (readonly [hook: object, status: number])[] = [
  [{}, 400],
  [{ url: PUBLIC, events: ["run.started"] }, 400],
  [{ url: PUBLIC, events: [] }, 400],
  [{ url: PUBLIC, secret: "swordfish" }, 400],
  [{ url: PUBLIC, secret: "whsec_c2hvcnQ=" }, 400],
  [{ url: PUBLIC, headers: {} }, 400],
  [{ url: "http://127.0.0.1:6379/" }, 422],
  [{ url: "http://169.254.169.254/latest" }, 422],
  [{ url: "file:///etc/passwd" }, 422],
  [{ url: "https://user:hunter2@hooks.example/" }, 422],
];

describe("webhooks", () => {
  test("made, listed without secret, removed", () =>
    withApi({}, async (api) => {
      const id = await newSession(api);
      const path = `/api/sessions/${id}/webhooks`;
      const made = await post<MadeWebhook>(api, path, { url: `${PUBLIC}?key=s3cret` });
      expect(made.status).toBe(201);
      expect(made.body.secret).toMatch(/^whsec_[A-Za-z0-9+/]{43}=$/);
      expect(made.body.webhook).toMatchObject({
        session_id: id,
        run_id: null,
        state: "on",
        url: `${PUBLIC}?key=…`,
      });
      const listed = await get<{ data: Webhook[] }>(api, path);
      expect(listed.data).toEqual([made.body.webhook]);
      expect(await get(api, `/api/webhooks/${made.body.webhook.id}`)).toEqual({ webhook: made.body.webhook });
      expect(await remove(api, `/api/webhooks/${made.body.webhook.id}`)).toBe(204);
      expect(await remove(api, `/api/webhooks/${made.body.webhook.id}`)).toBe(404);
      expect((await fetch(`${api.url}/api/webhooks/${made.body.webhook.id}/deliveries`)).status).toBe(404);
      expect((await get<{ data: Webhook[] }>(api, path)).data).toEqual([]);
      expect(api.logged.join()).not.toMatch(/s3cret|whsec_/);
    }));

  test("what cannot be a webhook is refused, by itself and with a run; nothing is accepted", () =>
    withApi({}, async (api) => {
      const id = await newSession(api);
      for (const [hook, status] of REFUSED) {
        const alone = await post<Refused>(api, `/api/sessions/${id}/webhooks`, hook);
        const withRun = await post<Refused>(api, `/api/sessions/${id}/runs`, {
          input: "hello",
          webhook: hook,
        });
        for (const answer of [alone, withRun]) {
          expect([hook, answer.status]).toEqual([hook, status]);
          expect(answer.body.error.code).toBe(status === 400 ? "invalid_request" : "address_refused");
          expect(JSON.stringify(answer.body)).not.toMatch(/hunter2|swordfish|6379/);
        }
      }
      expect((await get<{ data: unknown[] }>(api, `/api/runs?session_id=${id}`)).data).toEqual([]);
    }));

  test("of a session that is not there: 404; more than twenty: 409", () =>
    withApi({}, async (api) => {
      expect((await post(api, "/api/sessions/unknown/webhooks", { url: PUBLIC })).status).toBe(404);
      const id = await newSession(api);
      const path = `/api/sessions/${id}/webhooks`;
      for (let n = 0; n < 20; n++) expect((await post(api, path, { url: PUBLIC })).status).toBe(201);
      const more = await post<Refused>(api, path, { url: PUBLIC });
      expect([more.status, more.body.error.code]).toEqual([409, "conflict"]);
    }));

  test("the delivery is there when the run's end is, and a run that is not committed has none", () =>
    withApi({}, async (api) => {
      const id = await newSession(api);
      const { body } = await post<MadeWebhook>(api, `/api/sessions/${id}/webhooks`, { url: PUBLIC });
      const { runId } = await startRunIn(api, id);
      const claimed = await api.db.write.claimRun(runId, "w", null, 3);
      if (claimed.kind !== "claimed") throw new Error(claimed.kind);
      const { generation } = claimed.record;
      expect((await api.db.write.commitRun(runId, generation - 1, DONE)).kind).toBe("stale");
      const path = `/api/webhooks/${body.webhook.id}/deliveries`;
      expect((await get<{ data: Delivery[] }>(api, path)).data).toEqual([]);
      const result = await api.db.write.commitRun(runId, generation, DONE);
      if (result.kind !== "committed") throw new Error(result.kind);
      expect(result.outbox.map(({ kind }) => kind)).toEqual(["sync", "finish", "deliver"]);
      const { data } = await get<{ data: Delivery[] }>(api, path);
      expect(data).toEqual([
        expect.objectContaining({ run_id: runId, event: "run.completed", state: "queued" }),
      ]);
      // A second end changes nothing.
      expect((await api.db.write.commitRun(runId, generation, DONE)).kind).toBe("stale");
      expect((await get<{ data: Delivery[] }>(api, path)).data).toHaveLength(1);
    }));

  test("an older attempt reports nothing any more, and one that nobody reports is not made for ever", () =>
    withApi({}, async (api) => {
      const id = await newSession(api);
      await post(api, `/api/sessions/${id}/webhooks`, { url: PUBLIC });
      await end(api, id);
      const [delivery] = (await api.db.read.deliveriesIn({ state: "queued", limit: 10 })).data;
      const claim = async (): Promise<number> =>
        (await api.db.write.claimDelivery(delivery?.id ?? "", "w"))?.attempt ?? 0;
      expect([await claim(), await claim()]).toEqual([1, 2]);
      const done = { kind: "delivered", status: 204 } as const;
      expect(await api.db.write.endDelivery(delivery?.id ?? "", 1, done)).toBeNull();
      for (let n = 3; n <= 11; n++) expect(await claim()).toBe(n);
      expect(await claim()).toBe(0);
      expect(await api.db.read.findDelivery(delivery?.id ?? "")).toMatchObject({
        state: "dead",
        reason: "worker_crashed",
      });
    }));

  test("pages of what was sent and of what was given up are complete", () =>
    withApi({}, async (api) => {
      const id = await newSession(api);
      const { body } = await post<MadeWebhook>(api, `/api/sessions/${id}/webhooks`, { url: PUBLIC });
      for (let n = 0; n < 5; n++) await end(api, id);
      for (const { id: one } of (await api.db.read.deliveriesIn({ state: "queued", limit: 10 })).data) {
        const claimed = await api.db.write.claimDelivery(one, "w");
        const dead = { kind: "dead", status: 500, reason: "refused" } as const;
        await api.db.write.endDelivery(one, claimed?.attempt ?? 0, dead);
      }
      for (const path of [`/api/webhooks/${body.webhook.id}/deliveries`, "/api/ops/deliveries"]) {
        const seen: string[] = [];
        let cursor: string | null = "";
        while (cursor !== null) {
          const more: string = cursor === "" ? "" : `&cursor=${encodeURIComponent(cursor)}`;
          const page: { data: Delivery[]; next_cursor: string | null } = await get(
            api,
            `${path}?limit=2${more}`,
          );
          seen.push(...page.data.map((one) => one.id));
          cursor = page.next_cursor;
        }
        expect(new Set(seen).size).toBe(5);
        expect(seen).toHaveLength(5);
        expect((await fetch(`${api.url}${path}?cursor=nonsense`)).status).toBe(400);
      }
      expect((await fetch(`${api.url}/api/ops/deliveries?state=delivered`)).status).toBe(400);
    }));

  test("without a login all of it is 401; another site's page gets 403", () =>
    withApi({ password: "open sesame" }, async (api) => {
      const gets = [
        "/api/ops/deliveries",
        "/api/webhooks/x",
        "/api/deliveries/x",
        "/api/push",
        "/api/push/subscriptions",
      ];
      for (const path of gets) {
        expect((await fetch(api.url + path)).status).toBe(401);
        const headers = { "sec-fetch-site": "cross-site" };
        expect((await fetch(api.url + path, { headers })).status).toBe(403);
      }
      for (const path of ["/api/sessions/x/webhooks", "/api/deliveries/x/retry", "/api/push/subscriptions"])
        expect((await post(api, path, {})).status).toBe(401);
    }));
});

describe("browsers that are told", () => {
  const endpoint = "https://push.example/send/one";
  const put = (api: TestApi, at = endpoint, headers: Record<string, string> = {}) =>
    postJson(`${api.url}/api/push/subscriptions`, createPushBrowser().subscription(at), headers);
  const listed = async (
    api: TestApi,
    headers: Record<string, string> = {},
  ): Promise<readonly PushBrowser[]> =>
    (
      (await (await fetch(`${api.url}/api/push/subscriptions`, { headers })).json()) as {
        data: PushBrowser[];
      }
    ).data;

  test("one key for as long as the home is, in a file that its owner alone reads", () =>
    withApi({}, async (api) => {
      const { public_key } = await get<{ public_key: string }>(api, "/api/push");
      expect(Buffer.from(public_key, "base64url")).toHaveLength(65);
      const { mode } = await stat(join(api.home, "talaria", "push-key.json"));
      expect(mode & 0o777).toBe(0o600);
      await withApi({ house: api }, async (other) =>
        expect(await get(other, "/api/push")).toEqual({ public_key }),
      );
    }));

  test("saying it again is one browser; taking it back ends it", () =>
    withApi({}, async (api) => {
      const first = (await (await put(api)).json()) as { subscription: PushBrowser };
      const again = (await (await put(api)).json()) as { subscription: PushBrowser };
      expect(again).toEqual(first);
      expect(first.subscription.service).toBe("push.example");
      expect(await listed(api)).toEqual([first.subscription]);
      expect(await remove(api, `/api/push/subscriptions/${first.subscription.id}`)).toBe(204);
      expect(await remove(api, `/api/push/subscriptions/${first.subscription.id}`)).toBe(404);
    }));

  test("http, private services and wrong keys are refused", () =>
    withApi({}, async (api) => {
      const refused = [
        [createPushBrowser().subscription("http://push.example/x"), 422],
        [createPushBrowser().subscription("https://10.0.0.1/x"), 422],
        [{ endpoint }, 400],
        [{ endpoint, keys: { p256dh: "AAAA", auth: "AAAA" } }, 400],
      ] as const;
      for (const [body, status] of refused)
        expect((await post(api, "/api/push/subscriptions", body)).status).toBe(status);
    }));

  test("ten of one login at most", () =>
    withApi({}, async (api) => {
      for (let n = 0; n < 10; n++) expect((await put(api, `${endpoint}-${n}`)).status).toBe(201);
      expect((await put(api, `${endpoint}-11`)).status).toBe(409);
      expect((await put(api, `${endpoint}-1`)).status).toBe(201);
    }));

  test("they belong to a login and end with it; a token has none", () =>
    withApi({ password: "open sesame", token: "t0ken" }, async (api) => {
      const login = async (): Promise<Record<string, string>> => {
        const answer = await postJson(`${api.url}/api/login`, { password: "open sesame" });
        return { cookie: (answer.headers.get("set-cookie") ?? "").split(";")[0] ?? "" };
      };
      const [one, two] = [await login(), await login()];
      expect((await put(api, `${endpoint}-1`, one)).status).toBe(201);
      expect((await put(api, `${endpoint}-2`, two)).status).toBe(201);
      expect((await put(api, `${endpoint}-3`, { authorization: "Bearer t0ken" })).status).toBe(403);
      expect((await listed(api, one)).map(({ id }) => id)).not.toEqual(
        (await listed(api, two)).map(({ id }) => id),
      );
      const [foreign] = await listed(api, two);
      const answer = await fetch(`${api.url}/api/push/subscriptions/${foreign?.id}`, {
        ...{ method: "DELETE", headers: { ...json, ...one }, body: "{}" },
      });
      expect(answer.status).toBe(404);
      await postJson(`${api.url}/api/logout`, {}, one);
      expect(await api.db.read.subscriptionOwners()).toHaveLength(1);
      expect(await listed(api, two)).toHaveLength(1);
    }));
});
