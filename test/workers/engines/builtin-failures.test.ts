import { once } from "node:events";
import http from "node:http";
import type { AddressInfo } from "node:net";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "@jest/globals";
import type { ModelServer } from "../../../workers/engines/demo/model-server.ts";
import { expectedText } from "../../../workers/engines/demo/words.ts";
import { startFakeModel } from "../../helpers/fake-model.ts";
import { collect, contextFor, directed, ofType, testEngine, textOf } from "./harness.ts";

let server: ModelServer;
beforeAll(async () => {
  server = await startFakeModel();
});
afterAll(() => server.close());
beforeEach(() => server.reset());

const engine = testEngine();

/** Runs `work` against a provider that answers every request with `status` and `body`. */
const withProvider = async <T>(
  reply: (response: http.ServerResponse) => void,
  work: (url: string) => Promise<T>,
): Promise<T> => {
  const provider = http.createServer((request, response) => {
    request.resume();
    request.on("end", () => reply(response));
  });
  provider.listen(0, "127.0.0.1");
  await once(provider, "listening");
  try {
    return await work(`http://127.0.0.1:${(provider.address() as AddressInfo).port}/v1`);
  } finally {
    provider.closeAllConnections();
    provider.close();
  }
};

describe("a failing provider", () => {
  test.each([429, 500, 503, 529])("%i is retried with a warning while nothing was shown", async (status) => {
    const { events, error } = await collect(
      engine,
      directed(server.url, `fail=${status} times=2 tokens=5 key=r${status}`),
    );
    expect(error).toBeNull();
    expect(textOf(events)).toBe(expectedText(5));
    const retry = { status, waitMs: expect.any(Number) };
    expect(events.slice(0, 2)).toEqual([
      { type: "warning", kind: "retry", message: expect.stringContaining(String(status)), retry },
      { type: "warning", kind: "retry", message: expect.stringContaining("try 3 of 5"), retry },
    ]);
    expect(server.stats().requests).toBe(3);
  });

  test("five tries are all", async () => {
    const { events, error } = await collect(engine, directed(server.url, "fail=503"));
    expect(error).toMatchObject({ code: "provider_unavailable", detail: "scripted 503" });
    expect(ofType(events, "warning").length).toBe(4);
    expect(server.stats().requests).toBe(5);
  });

  test("waits as long as Retry-After says", async () => {
    const startedMs = performance.now();
    const { events } = await collect(
      engine,
      directed(server.url, "fail=429 times=1 after=1 key=after tokens=1"),
    );
    expect(performance.now() - startedMs).toBeGreaterThanOrEqual(990);
    expect(events[0]).toMatchObject({ message: expect.stringContaining("1.0 s") });
  });

  test("a longer Retry-After is cut, and the wait ends with the run", async () => {
    const stop = new AbortController();
    const running = engine.run(directed(server.url, "fail=429 after=9999"), stop.signal);
    const first = await running.next();
    expect(first.value).toMatchObject({ type: "warning", message: expect.stringContaining("30.0 s") });
    const next = running.next();
    stop.abort(new Error("stopped by the user"));
    await expect(next).rejects.toThrow("stopped by the user");
    expect(server.stats().requests).toBe(1);
  });

  test("a refused connection is retried and then told", async () => {
    const gone = await startFakeModel();
    await gone.close();
    const { events, error } = await collect(engine, contextFor(gone.url));
    expect(error).toMatchObject({ code: "provider_unavailable" });
    expect(ofType(events, "warning").length).toBe(4);
  });

  test.each(["cut", "errat"])("%s before anything was shown is retried", async (fault) => {
    const { events, error } = await collect(
      engine,
      directed(server.url, `${fault}=0 times=1 tokens=5 key=0${fault}`),
    );
    expect(error).toBeNull();
    expect(textOf(events)).toBe(expectedText(5));
    expect(server.stats().requests).toBe(2);
  });

  test.each(["cut", "errat"])("%s after text was shown is an error, and is not retried", async (fault) => {
    const { events, error } = await collect(engine, directed(server.url, `${fault}=4 tokens=10 rate=200`));
    expect(error).toMatchObject({ code: "provider_unavailable" });
    expect(textOf(events)).toBe(expectedText(4));
    expect(ofType(events, "step_end")).toEqual([]);
    expect(server.stats().requests).toBe(1);
  });

  test("neither text nor call is no_response", async () => {
    const { events, error } = await collect(engine, directed(server.url, "tokens=0"));
    expect(error).toMatchObject({ code: "no_response" });
    expect(events).toEqual([]);
  });

  test("nothing but the output limit is output_limit", async () => {
    const { error } = await collect(engine, directed(server.url, "tokens=0 finish=length"));
    expect(error).toMatchObject({ code: "output_limit" });
  });

  test.each([
    [401, {}, "gateway_auth_error"],
    [403, {}, "gateway_auth_error"],
    [402, {}, "quota_exhausted"],
    [429, { code: "insufficient_quota" }, "quota_exhausted"],
    [404, {}, "model_not_found"],
    [400, { code: "model_not_found" }, "model_not_found"],
    [400, { type: "invalid_request_error", message: "rate limit quota auth not found" }, "error"],
  ])("HTTP %i with %p is %s, whatever the wording", async (status, fields, code) => {
    const error = { message: "no sk-canary here", ...fields };
    const model = (url: string) => ({ provider: "custom", model: "m", baseUrl: url, apiKey: "sk-canary" });
    let asked = 0;
    const outcome = await withProvider(
      (response) => {
        asked++;
        response.writeHead(status, { "content-type": "application/json" });
        response.end(JSON.stringify({ error }));
      },
      (url) => collect(engine, contextFor(url, { model: model(url) })),
    );
    expect(outcome.error).toMatchObject({ code });
    expect(asked).toBe(1);
    const { message, hint, detail } = outcome.error as Record<string, string>;
    expect(`${message} ${hint} ${detail}`).not.toContain("sk-canary");
  });

  test("an answer that is no JSON, or no event stream, is the provider's failure", async () => {
    for (const body of ["<html>", "data: {oops\n\n"]) {
      const outcome = await withProvider(
        (response) => response.writeHead(200, { "content-type": "text/event-stream" }).end(body),
        (url) => collect(testEngine({ policy: { maxTries: 1 } }), contextFor(url)),
      );
      expect(outcome.error).toMatchObject({ code: "provider_unavailable" });
    }
  });

  test("a character cut in two between deltas stays one character", async () => {
    const frame = (content: string) =>
      `data: {"choices":[{"index":0,"delta":{"content":"${content}"},"finish_reason":null}]}\n\n`;
    const end = 'data: {"choices":[{"index":0,"delta":{},"finish_reason":"stop"}]}\n\ndata: [DONE]\n\n';
    const { events } = await withProvider(
      (response) =>
        response
          .writeHead(200, { "content-type": "text/event-stream" })
          .end(`${frame("a\\ud83d")}${frame("\\ude00b\\ud83d")}${end}`),
      (url) => collect(engine, contextFor(url)),
    );
    expect(ofType(events, "text").map((event) => event.text)).toEqual(["a", "😀b", "\ufffd"]);
    expect(ofType(events, "step_end")[0]?.text).toBe("a😀b\ufffd");
  });
});

describe("a silent provider", () => {
  test("is given up after the idle time", async () => {
    const impatient = testEngine({ policy: { idleTimeoutMs: 60 } });
    const { events, error } = await collect(impatient, directed(server.url, "stall=2"));
    expect(error).toMatchObject({ code: "provider_unavailable", message: expect.stringContaining("0.06 s") });
    expect(textOf(events)).toBe(expectedText(2));
  });

  test("a slow consumer is not a silent provider", async () => {
    const impatient = testEngine({ policy: { idleTimeoutMs: 60 } });
    const run = impatient.run(directed(server.url, "tokens=3"), new AbortController().signal);
    let text = "";
    for await (const event of run) {
      if (event.type !== "text") continue;
      text += event.text;
      // Longer than the idle time, in the consumer's hands.
      await new Promise((resolve) => setTimeout(resolve, 90));
    }
    expect(text).toBe(expectedText(3));
  });
});

describe("stopping", () => {
  test("ends a stalled model request at once, with the signal's reason", async () => {
    const stop = new AbortController();
    const run = engine.run(directed(server.url, "stall=2"), stop.signal);
    expect((await run.next()).value).toMatchObject({ type: "text" });
    expect((await run.next()).value).toMatchObject({ type: "text" });
    const waiting = run.next();
    const reason = new Error("stopped by the user");
    stop.abort(reason);
    await expect(waiting).rejects.toBe(reason);
  });

  test("stop-not-provider-error: a provider that breaks while being stopped does not matter (C-16)", async () => {
    const stop = new AbortController();
    const reason = new Error("stopped by the user");
    const { events, error } = await withProvider(
      (response) => {
        response.writeHead(200, { "content-type": "text/event-stream" });
        stop.abort(reason);
        response.end('data: {"error":{"message":"boom","type":"server_error"}}\n\n');
      },
      (url) => collect(engine, contextFor(url), stop.signal),
    );
    expect(error).toBe(reason);
    expect(events).toEqual([]);
  });

  test("a run that is stopped before it began asks nothing", async () => {
    const reason = new Error("too late");
    const { error } = await collect(engine, directed(server.url, "tokens=1"), AbortSignal.abort(reason));
    expect(error).toBe(reason);
    expect(server.stats().requests).toBe(0);
  });

  test("a consumer that leaves ends the model request", async () => {
    const run = engine.run(directed(server.url, "tokens=1000 rate=50"), new AbortController().signal);
    await run.next();
    await run.return();
    await expectSoon(() => server.stats().aborted === 1);
  });
});

const expectSoon = async (condition: () => boolean): Promise<void> => {
  const deadline = performance.now() + 5000;
  while (!condition()) {
    if (performance.now() > deadline) throw new Error("the condition did not come true");
    await new Promise((resolve) => setImmediate(resolve));
  }
};

test.each(["custom", "openai", "anthropic"])(
  "a redirect of %s is not followed: key and conversation stay where they belong (security 11)",
  async (provider) => {
    const seen: string[] = [];
    const elsewhere = http.createServer((request, response) => {
      seen.push(JSON.stringify([request.url, request.headers]));
      response.end();
    });
    elsewhere.listen(0, "127.0.0.1");
    await once(elsewhere, "listening");
    const location = `http://127.0.0.1:${(elsewhere.address() as AddressInfo).port}/v1/chat/completions`;
    try {
      const { error } = await withProvider(
        (response) => response.writeHead(307, { location }).end(),
        (baseUrl) =>
          collect(
            engine,
            contextFor(baseUrl, { model: { provider, model: "m", baseUrl, apiKey: "sk-test" } }),
          ),
      );
      expect(error).toMatchObject({ code: "error", message: expect.stringContaining("307") });
      expect(seen).toEqual([]);
    } finally {
      elsewhere.closeAllConnections();
      elsewhere.close();
    }
  },
);
