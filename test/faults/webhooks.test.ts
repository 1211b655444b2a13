import { afterAll, beforeAll, beforeEach, describe, expect, test } from "@jest/globals";
import { Webhook as Verifier } from "standardwebhooks";
import type { Delivery } from "../../common/contracts/delivery.ts";
import type { Run } from "../../common/contracts/run.ts";
import type { MadeWebhook, Webhook } from "../../common/contracts/webhook.ts";
import { connectRedis } from "../../common/redis/connect.ts";
import { type Deployment, startDeployment } from "../helpers/deployment.ts";
import { type HookReceiver, ok, type Received, startReceiver } from "../helpers/hook-receiver.ts";
import { readDb } from "../helpers/outside.ts";
import type { TestProcess } from "../helpers/process.ts";
import { sidecar } from "../helpers/truth.ts";
import { eventually, within } from "../helpers/wait.ts";

/** Completion webhooks in a whole deployment: real processes, a real receiver, and what kills them. */
let d: Deployment;
let receiver: HookReceiver;
/** Executes runs. */
let runner: TestProcess;
/** Sends messages, and nothing else: it is the one that is killed. */
let sender: TestProcess;

const TEXT = "a-sentence-nobody-else-reads";

beforeAll(async () => {
  receiver = await startReceiver();
  d = await startDeployment({
    TALARIA_WEBHOOK_PRIVATE: receiver.target,
    TALARIA_DELIVERY_DELAYS_S: "1,1",
    TALARIA_DELIVERY_TIMEOUT_MS: "1500",
    TALARIA_CANCEL_GRACE_MS: "500",
  });
  [runner, sender] = await Promise.all([d.startWorker(), startSender()]);
});
afterAll(async () => {
  await d.close();
  await receiver.close();
});
beforeEach(() => {
  receiver.answer = ok;
});

const emptyRedis = async (): Promise<void> => {
  const admin = connectRedis(d.redis.url, "command");
  await admin.flushall();
  admin.disconnect();
};
const startSender = (): Promise<TestProcess> => d.startWorker({ TALARIA_QUEUES: "deliveries" });
const path = (name: string): string => `/${name}-${Math.random().toString(36).slice(2, 10)}`;
const hook = async (sessionId: string, at: string, more: object = {}): Promise<MadeWebhook> => {
  const url = receiver.url + at;
  const made = await d.request<MadeWebhook>("POST", `/api/sessions/${sessionId}/webhooks`, { url, ...more });
  expect(made.status).toBe(201);
  return made.body;
};
const turn = async (sessionId: string, input = `${TEXT} [[fake tokens=3]]`): Promise<Run> => {
  const run = await d.startRun(sessionId, input);
  await within("the run ends", d.follow(run.id).ended);
  return d.getRun(run.id);
};
const to = (at: string): readonly Received[] => receiver.received.filter((one) => one.path === at);
const get = async <T>(address: string): Promise<T> => (await d.request<T>("GET", address)).body;
const deliveriesOf = async (webhookId: string): Promise<readonly Delivery[]> =>
  (await get<{ data: Delivery[] }>(`/api/webhooks/${webhookId}/deliveries`)).data;
const reaches = (webhookId: string, state: Delivery["state"], ms?: number): Promise<Delivery> =>
  eventually(
    `the delivery is ${state}`,
    async () => (await deliveriesOf(webhookId)).find((one) => one.state === state),
    ms,
  );
const idOf = ({ headers }: Received): string => String(headers["webhook-id"]);
const verified = ({ headers, body }: Received, secret: string) =>
  new Verifier(secret).verify(body.toString(), headers as Record<string, string>) as {
    type: string;
    timestamp: string;
    data: Record<string, unknown>;
  };

describe("what is told", () => {
  test("webhook-signed: ids, status, times, usage and a link, verified by the official library; nothing that was said", async () => {
    const session = await d.createSession();
    const at = path("signed");
    const { webhook, secret } = await hook(session.id, at);
    const run = await turn(session.id);
    const delivery = await reaches(webhook.id, "delivered");
    expect(to(at)).toHaveLength(1);
    const [message] = to(at) as [Received];
    const { type, timestamp, data } = verified(message, secret ?? "");
    expect(type).toBe("run.completed");
    expect(Date.parse(timestamp) / 1000).toBeCloseTo(run.ended_at ?? 0, 0);
    expect(data).toMatchObject({
      ...{ run_id: run.id, session_id: session.id, profile: "default", status: "completed", error: null },
      ...{ ended_at: run.ended_at, usage: run.usage, url: `/s/${session.id}` },
    });
    expect(message.body.toString()).not.toContain(TEXT);
    expect(delivery).toMatchObject({ id: idOf(message), tries: 1, http_status: 204, reason: null });
    // A body that was changed on the way, and another secret, are noticed.
    const changed = { ...message, body: Buffer.from(message.body.toString().replace("completed", "failed")) };
    expect(() => verified(changed, secret ?? "")).toThrow();
    const other = `whsec_${Buffer.alloc(32, 1).toString("base64")}`;
    expect(() => verified(message, other)).toThrow();
  });

  test("each end has its event; a webhook gets those it asked for; an error is a code without its words", async () => {
    const session = await d.createSession();
    const [all, some] = [path("all"), path("some")];
    const first = await hook(session.id, all);
    await hook(session.id, some, { events: ["run.cancelled"] });
    const failed = await turn(session.id, "broken [[fake fail=400]]");
    expect(failed.status).toBe("failed");
    const stopped = await d.startRun(session.id, "long [[fake tokens=600 rate=20]]");
    await eventually("it runs", async () => (await d.getRun(stopped.id)).status === "running");
    await d.request("POST", `/api/runs/${stopped.id}/cancel`, {});
    const told = await Promise.all(
      [failed, stopped].map((run) =>
        within(
          "told",
          receiver.until((one) => one.path === all && one.body.includes(run.id)),
        ),
      ),
    );
    const [one, two] = told.map((message) => verified(message, first.secret ?? ""));
    expect([one?.type, two?.type]).toEqual(["run.failed", "run.cancelled"]);
    expect(one?.data.error).toEqual({ code: failed.error?.code });
    await within(
      "the other one is told",
      receiver.until(({ path: at }) => at === some),
    );
    expect(to(some).map(({ body }) => (JSON.parse(body.toString()) as { type: string }).type)).toEqual([
      "run.cancelled",
    ]);
  });

  test("webhook-of-one-run: only this run is told of; the given secret signs; a repeat of the request makes no second one", async () => {
    const session = await d.createSession();
    const at = path("run");
    const secret = `whsec_${Buffer.alloc(24, 7).toString("base64")}`;
    const body = { input: "hello [[fake tokens=3]]", webhook: { url: receiver.url + at, secret } };
    const address = `/api/sessions/${session.id}/runs`;
    type Started = { run: Run; webhook?: MadeWebhook };
    const first = await d.request<Started>("POST", address, body, { "idempotency-key": at });
    const again = await d.request<Started>("POST", address, body, { "idempotency-key": at });
    expect([first.status, again.status, again.body.run.id]).toEqual([202, 202, first.body.run.id]);
    expect(first.body.webhook).toMatchObject({ secret: null, webhook: { run_id: first.body.run.id } });
    expect(again.body.webhook).toBeUndefined();
    await reaches(first.body.webhook?.webhook.id ?? "", "delivered");
    const later = path("session");
    const all = await hook(session.id, later);
    await turn(session.id);
    await reaches(all.webhook.id, "delivered");
    expect(to(at)).toHaveLength(1);
    expect(verified(to(at)[0] as Received, secret).data.run_id).toBe(first.body.run.id);
    const listed = await get<{ data: Webhook[] }>(`/api/sessions/${session.id}/webhooks`);
    expect(listed.data.map(({ run_id }) => run_id)).toEqual([null, first.body.run.id]);
  });

  test("a rename, another title, a setting tell nobody", async () => {
    const session = await d.createSession();
    const { webhook } = await hook(session.id, path("quiet"));
    await d.request("PATCH", `/api/sessions/${session.id}`, { title: "Another name" });
    await d.request("PATCH", `/api/sessions/${session.id}`, { pinned: true });
    await turn(session.id);
    await reaches(webhook.id, "delivered");
    expect(await deliveriesOf(webhook.id)).toHaveLength(1);
  });

  test("secrets and keys in addresses come out of no answer and no log", async () => {
    const session = await d.createSession();
    const key = "k3y-that-is-in-the-address-of-a-hook";
    const made = await hook(session.id, `${path("masked")}/${key}?token=${key}`);
    await turn(session.id);
    await reaches(made.webhook.id, "delivered");
    const answers = JSON.stringify([
      made.webhook,
      await get(`/api/sessions/${session.id}/webhooks`),
      await get(`/api/webhooks/${made.webhook.id}`),
      await get(`/api/webhooks/${made.webhook.id}/deliveries`),
    ]);
    const logs = sender.output() + runner.output() + d.api.output();
    for (const text of [answers, logs]) {
      expect(text).not.toContain(key);
      expect(text).not.toContain(made.secret);
    }
    expect(sender.output()).toContain("a delivery was tried");
  });
});

describe("receivers that do not do as they should", () => {
  const refused = async (
    name: string,
    answer: HookReceiver["answer"],
  ): Promise<{ readonly at: string; readonly webhook: Webhook; readonly sessionId: string }> => {
    const session = await d.createSession();
    const at = path(name);
    const { webhook } = await hook(session.id, at);
    receiver.answer = (one, n) => (one.path === at ? answer(one, n) : ok(one));
    await turn(session.id);
    return { at, webhook, sessionId: session.id };
  };

  test("webhook-dead-letter-visible: it refuses, is tried again with one id, given up, shown, and arrives when it is asked for", async () => {
    const { at, webhook, sessionId } = await refused(
      "refuses",
      ({ response }) => void response.writeHead(500).end("no"),
    );
    const dead = await reaches(webhook.id, "dead", 30_000);
    expect(dead).toMatchObject({ tries: 3, http_status: 500, reason: "refused", session_id: sessionId });
    expect(new Set(to(at).map(idOf))).toEqual(new Set([dead.id]));
    expect(to(at)).toHaveLength(3);
    const ops = await get<{ data: Delivery[] }>("/api/ops/deliveries?state=dead");
    expect(ops.data.map(({ id }) => id)).toContain(dead.id);
    expect(await (await fetch(`${d.url()}/metrics`)).text()).toMatch(
      /talaria_deliveries\{kind="webhook",state="dead"\} [1-9]/,
    );
    receiver.answer = ok;
    const again = await d.request<{ delivery: Delivery }>("POST", `/api/deliveries/${dead.id}/retry`, {});
    expect([again.status, again.body.delivery.state]).toEqual([202, "queued"]);
    expect((await reaches(webhook.id, "delivered")).id).toBe(dead.id);
    expect(idOf(to(at).at(-1) as Received)).toBe(dead.id);
    expect((await d.request("POST", `/api/deliveries/${dead.id}/retry`, {})).status).toBe(409);
  });

  test("it is slow: the attempt ends in its time, and the next one arrives", async () => {
    let held: Received | null = null;
    const { at, webhook } = await refused("slow", (one) => {
      if (held === null) held = one;
      else ok(one);
    });
    const { tries } = await reaches(webhook.id, "delivered");
    expect([tries, new Set(to(at).map(idOf)).size]).toEqual([2, 1]);
  });

  test("it sends elsewhere: nothing goes there", async () => {
    const elsewhere = path("elsewhere");
    const { webhook } = await refused(
      "redirects",
      ({ response }) => void response.writeHead(307, { location: receiver.url + elsewhere }).end(),
    );
    expect(await reaches(webhook.id, "dead", 30_000)).toMatchObject({
      http_status: 307,
      reason: "redirected",
    });
    expect(to(elsewhere)).toEqual([]);
  });

  test("it answers 410: it is switched off, and hears of nothing more", async () => {
    const { at, webhook, sessionId } = await refused(
      "gone",
      ({ response }) => void response.writeHead(410).end(),
    );
    expect(await reaches(webhook.id, "dead")).toMatchObject({ tries: 1, http_status: 410, reason: "gone" });
    expect((await get<{ webhook: Webhook }>(`/api/webhooks/${webhook.id}`)).webhook.state).toBe("off");
    await turn(sessionId);
    expect(await deliveriesOf(webhook.id)).toHaveLength(1);
    expect(to(at)).toHaveLength(1);
  });

  test("its answer has no end: it counts, and its connection is cut", async () => {
    const cut = Promise.withResolvers<void>();
    const { webhook } = await refused("endless", ({ response }) => {
      response.writeHead(200);
      const more = (): void => {
        while (response.write(Buffer.alloc(65_536)));
      };
      response.on("drain", more);
      response.on("close", () => cut.resolve());
      more();
    });
    await reaches(webhook.id, "delivered");
    await within("cut", cut.promise);
  });

  test("it asks for a later attempt (Retry-After): that is when the next one is", async () => {
    const { webhook } = await refused(
      "later",
      ({ response }) => void response.writeHead(429, { "retry-after": "600" }).end(),
    );
    const waiting = await eventually("it waits", async () =>
      (await deliveriesOf(webhook.id)).find(({ tries, state }) => tries === 1 && state === "queued"),
    );
    expect((waiting.next_try_at ?? 0) - Date.now() / 1000).toBeGreaterThan(500);
    receiver.answer = ok;
    // Who does not want to wait asks for it.
    expect((await d.request("POST", `/api/deliveries/${waiting.id}/retry`, {})).status).toBe(202);
    await reaches(webhook.id, "delivered");
  });
});

describe("what is killed half-way", () => {
  test("webhook-delivered-once-per-id after a crash: killed behind the message and before its mark, it is sent again under its id", async () => {
    const session = await d.createSession();
    const at = path("crash");
    const { webhook, secret } = await hook(session.id, at);
    const arrived = Promise.withResolvers<Received>();
    receiver.answer = (one) => {
      if (one.path === at && to(at).length === 1) arrived.resolve(one);
      else ok(one);
    };
    const run = await turn(session.id);
    const first = await within("the first one arrives", arrived.promise);
    // Dead before it can hear the answer.
    await sender.kill();
    ok(first);
    expect((await deliveriesOf(webhook.id))[0]).toMatchObject({ state: "sending", tries: 0 });
    sender = await startSender();
    const delivered = await reaches(webhook.id, "delivered", 30_000);
    expect(delivered).toMatchObject({ tries: 1, run_id: run.id });
    expect(to(at).map(idOf)).toEqual([delivered.id, delivered.id]);
    const [one, two] = to(at).map((message) => verified(message, secret ?? ""));
    expect(two).toEqual(one);
  });

  test("webhook-survives-everything: Redis is emptied and all processes are killed while it waits; it arrives", async () => {
    const session = await d.createSession();
    const at = path("emptied");
    const { webhook } = await hook(session.id, at);
    receiver.answer = (one) => {
      if (one.path === at && to(at).length === 1) one.response.writeHead(503).end();
      else ok(one);
    };
    await turn(session.id);
    await eventually(
      "the first attempt has failed",
      async () => (await deliveriesOf(webhook.id))[0]?.tries === 1,
    );
    await Promise.all([sender.kill(), runner.kill(), d.api.kill()]);
    await d.redis.kill();
    await d.restartRedis();
    await emptyRedis();
    await d.startApi();
    [runner, sender] = await Promise.all([d.startWorker(), startSender()]);
    await reaches(webhook.id, "delivered", 30_000);
    expect(new Set(to(at).map(idOf)).size).toBe(1);
  });

  test("webhook-job-lost: its job is gone from Redis while no worker was there; it is made again from the row", async () => {
    const session = await d.createSession();
    const { webhook } = await hook(session.id, path("lost"));
    await sender.stop();
    await turn(session.id);
    await eventually("its job waits", () =>
      readDb(
        sidecar(d),
        (db) => db.prepare("select count(*) from outbox where kind = 'deliver'").pluck().get() === 0,
      ),
    );
    await emptyRedis();
    sender = await startSender();
    await reaches(webhook.id, "delivered", 30_000);
  });

  test("a sender that stalls behind its message changes nothing when it wakes up", async () => {
    const session = await d.createSession();
    const at = path("stalls");
    const { webhook } = await hook(session.id, at);
    const arrived = Promise.withResolvers<Received>();
    receiver.answer = (one) => {
      if (one.path === at && to(at).length === 1) arrived.resolve(one);
      else ok(one);
    };
    await turn(session.id);
    const first = await within("it arrives", arrived.promise);
    sender.signal("SIGSTOP");
    const other = await startSender();
    const delivered = await reaches(webhook.id, "delivered", 30_000);
    // What the stalled one hears now would be a failure.
    first.response.writeHead(500).end();
    sender.signal("SIGCONT");
    await sender.says(delivered.id);
    await within(
      "a later one is through",
      (async () => {
        const later = await hook(session.id, path("later"));
        await turn(session.id);
        await reaches(later.webhook.id, "delivered");
      })(),
      30_000,
    );
    expect((await deliveriesOf(webhook.id)).find(({ id }) => id === delivered.id)).toEqual(delivered);
    await other.stop();
  });

  test("a run that is ended without its worker is told of, too", async () => {
    const session = await d.createSession();
    const { webhook } = await hook(session.id, path("settled"));
    const run = await d.startRun(session.id, "long [[fake tokens=600 rate=20]]");
    await eventually("it runs", async () => (await d.getRun(run.id)).status === "running");
    runner.signal("SIGSTOP");
    await d.request("POST", `/api/runs/${run.id}/cancel`, {});
    expect(await reaches(webhook.id, "delivered", 30_000)).toMatchObject({ event: "run.cancelled" });
    runner.signal("SIGCONT");
    // It is the only one that executes runs: it is awake, and behind what it was in.
    expect((await turn((await d.createSession()).id)).status).toBe("completed");
    expect(await deliveriesOf(webhook.id)).toHaveLength(1);
  });

  test("a session that is deleted takes its webhooks and what waits for them with it", async () => {
    const session = await d.createSession();
    const at = path("deleted");
    await hook(session.id, at);
    receiver.answer = ({ response }) => void response.writeHead(500).end();
    await turn(session.id);
    await within(
      "it is tried",
      receiver.until((one) => one.path === at),
    );
    expect((await d.request("DELETE", `/api/sessions/${session.id}`)).status).toBe(204);
    const left = (): unknown =>
      readDb(sidecar(d), (db) =>
        db
          .prepare(
            `select (select count(*) from webhooks where session_id = @id) + (select count(*) from deliveries where session_id = @id)
               + (select count(*) from outbox where session_id = @id)`,
          )
          .pluck()
          .get({ id: session.id }),
      );
    await eventually("nothing is left", () => left() === 0);
    const tried = to(at).length;
    receiver.answer = ok;
    const next = await d.createSession();
    const later = await hook(next.id, path("after"));
    await turn(next.id);
    await reaches(later.webhook.id, "delivered");
    expect(to(at)).toHaveLength(tried);
  });
});
