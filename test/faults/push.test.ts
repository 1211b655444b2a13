import { afterAll, beforeAll, beforeEach, expect, test } from "@jest/globals";
import type { Delivery } from "../../common/contracts/delivery.ts";
import type { PushBrowser as Told } from "../../common/contracts/push.ts";
import type { Run } from "../../common/contracts/run.ts";
import { type Deployment, startDeployment } from "../helpers/deployment.ts";
import { type HookReceiver, ok, type Received, startReceiver } from "../helpers/hook-receiver.ts";
import type { TestProcess } from "../helpers/process.ts";
import { createPushBrowser, readProof } from "../helpers/push-browser.ts";
import { eventually, within } from "../helpers/wait.ts";

/** Web Push in a whole deployment, with a push service and browsers written from the RFCs. */
let d: Deployment;
let service: HookReceiver;
let worker: TestProcess;

beforeAll(async () => {
  service = await startReceiver();
  d = await startDeployment({
    ...{ TALARIA_QUEUES: "runs,deliveries", TALARIA_WEBHOOK_PRIVATE: service.target },
    ...{ TALARIA_DELIVERY_DELAYS_S: "1,1", TALARIA_PUSH_CONTACT: "mailto:owner@example.com" },
  });
  worker = await d.startWorker();
});
afterAll(async () => {
  await d.close();
  await service.close();
});
beforeEach(async () => {
  service.answer = ok;
  for (const { id } of await told()) await d.request("DELETE", `/api/push/subscriptions/${id}`);
});

const told = async (): Promise<readonly Told[]> =>
  (await d.request<{ data: Told[] }>("GET", "/api/push/subscriptions")).body.data;
const subscribe = async (name: string) => {
  const browser = createPushBrowser();
  const path = `/${name}-${Math.random().toString(36).slice(2, 10)}`;
  const answer = await d.request<{ subscription: Told }>(
    ...["POST", "/api/push/subscriptions", browser.subscription(service.url + path)],
  );
  expect(answer.status).toBe(201);
  const sent = (): readonly Received[] => service.received.filter((one) => one.path === path);
  return { browser, path, id: answer.body.subscription.id, sent };
};
const turn = async (sessionId: string, input = "hello [[fake tokens=3]]"): Promise<Run> => {
  const run = await d.startRun(sessionId, input);
  await within("the run ends", d.follow(run.id).ended);
  return run;
};

test("push-run-finished: encrypted for the browser, signed by the server's key, session, title and what happened", async () => {
  const session = await d.createSession();
  await d.request("PATCH", `/api/sessions/${session.id}`, { title: "Grüße 👋 an alle" });
  const { browser, path, sent } = await subscribe("finished");
  await turn(session.id);
  const message = await within(
    "it arrives",
    service.until((one) => one.path === path),
  );
  expect(browser.read(message.body)).toEqual({
    ...{ session_id: session.id, title: "Grüße 👋 an alle", event: "run.completed" },
  });
  expect(message.headers).toMatchObject({ "content-encoding": "aes128gcm", ttl: "86400", urgency: "normal" });
  expect(message.headers.topic).toMatch(/^[\w-]{1,32}$/);
  expect(() => createPushBrowser().read(message.body)).toThrow();
  expect(message.body.toString("latin1")).not.toContain(session.id);
  const { key, claims } = readProof(message);
  const { public_key } = (await d.request<{ public_key: string }>("GET", "/api/push")).body;
  expect([key, claims.aud, claims.sub]).toEqual([public_key, service.url, "mailto:owner@example.com"]);
  expect(claims.exp - Date.now() / 1000).toBeLessThan(24 * 3600);
  await turn(session.id);
  await eventually("the next one, too", () => sent().length === 2);
  // The newest of a session takes the place of what the service still holds.
  expect(sent()[1]?.headers.topic).toBe(message.headers.topic);
});

test("a run that fails is told of, one that somebody stopped is not", async () => {
  const session = await d.createSession();
  const { browser, sent } = await subscribe("failed");
  const stopped = await d.startRun(session.id, "long [[fake tokens=600 rate=20]]");
  await eventually("it runs", async () => (await d.getRun(stopped.id)).status === "running");
  await d.request("POST", `/api/runs/${stopped.id}/cancel`, {});
  await within("it is stopped", d.follow(stopped.id).ended);
  await turn(session.id, "broken [[fake fail=400]]");
  await eventually("told", () => sent().length === 1);
  expect(sent().map(({ body }) => browser.read(body))).toEqual([
    expect.objectContaining({ event: "run.failed" }),
  ]);
});

test.each([404, 410])(
  "push-subscription-gone: a service that answers %s ends it, and what waits for it",
  async (status) => {
    const session = await d.createSession();
    const { id, path } = await subscribe("gone");
    service.answer = (one) => (one.path === path ? void one.response.writeHead(status).end() : ok(one));
    await turn(session.id);
    await eventually("forgotten", async () => (await told()).every((one) => one.id !== id));
    const { data } = (await d.request<{ data: Delivery[] }>("GET", "/api/ops/deliveries?state=dead")).body;
    expect(data.filter(({ subscription_id }) => subscription_id === id)).toEqual([]);
  },
);

test("push-dead-letter-visible: a service that refuses is tried again, then given up, visibly, without its address", async () => {
  const session = await d.createSession();
  const { id, path, sent } = await subscribe("refuses");
  service.answer = (one) => (one.path === path ? void one.response.writeHead(500).end() : ok(one));
  await turn(session.id);
  const dead = await eventually(
    "given up",
    async () => {
      const { data } = (await d.request<{ data: Delivery[] }>("GET", "/api/ops/deliveries?state=dead")).body;
      return data.find(({ subscription_id }) => subscription_id === id);
    },
    30_000,
  );
  expect(dead).toMatchObject({ tries: 3, http_status: 500, webhook_id: null });
  expect(sent()).toHaveLength(3);
  expect(JSON.stringify(dead) + worker.output()).not.toContain(path);
});

test("keys that are none are given up at once", async () => {
  const session = await d.createSession();
  const keys = {
    p256dh: Buffer.alloc(65, 9).toString("base64url"),
    auth: Buffer.alloc(16).toString("base64url"),
  };
  const { body } = await d.request<{ subscription: Told }>(
    ...["POST", "/api/push/subscriptions", { endpoint: `${service.url}/none`, keys }],
  );
  await turn(session.id);
  const dead = await eventually("given up", async () => {
    const { data } = (await d.request<{ data: Delivery[] }>("GET", "/api/ops/deliveries")).body;
    return data.find(({ subscription_id }) => subscription_id === body.subscription.id);
  });
  expect(dead).toMatchObject({ tries: 1, reason: "unusable_keys" });
});

test("push-after-crash: killed behind the message and before its mark, the browser is told again", async () => {
  const session = await d.createSession();
  const { browser, path, sent } = await subscribe("crash");
  const arrived = Promise.withResolvers<void>();
  service.answer = (one) => {
    if (one.path === path && sent().length === 1) arrived.resolve();
    else ok(one);
  };
  await turn(session.id);
  await within("it arrives", arrived.promise);
  await worker.kill();
  worker = await d.startWorker();
  await eventually("again", () => sent().length === 2, 30_000);
  const [one, two] = sent().map(({ body }) => browser.read(body));
  expect(two).toEqual(one);
});
