import { afterAll, beforeAll, beforeEach, describe, expect, test } from "@jest/globals";
import type { ModelServer } from "../../../workers/engines/demo/model-server.ts";
import { expectedReasoning, expectedText } from "../../../workers/engines/demo/words.ts";
import { startFakeModel } from "../../helpers/fake-model.ts";

let server: ModelServer;
beforeAll(async () => {
  server = await startFakeModel();
});
afterAll(() => server.close());
beforeEach(() => server.reset());

const ask = (body: Record<string, unknown>, headers: Record<string, string> = {}): Promise<Response> =>
  fetch(`${server.url}/chat/completions`, { method: "POST", headers, body: JSON.stringify(body) });
const user = (content: unknown) => [{ role: "user", content }];

describe("the model server", () => {
  test("streams byte for byte what the protocol and the directives say", async () => {
    const response = await ask({
      model: "fake:tokens=2,reason=1",
      stream: true,
      stream_options: { include_usage: true },
      messages: user("four"),
    });
    const id = response.headers.get("x-request-id");
    const head = `data: {"id":"${id}","object":"chat.completion.chunk","created":1700000000,"model":"fake:tokens=2,reason=1","choices":[`;
    const frame = (delta: string, finish = "null") =>
      `${head}{"index":0,"delta":${delta},"finish_reason":${finish}}]}\n\n`;
    expect(await response.text()).toBe(
      frame('{"role":"assistant","content":""}') +
        frame(`{"reasoning_content":"${expectedReasoning(1)}"}`) +
        frame(`{"content":"${expectedText(1)}"}`) +
        frame(`{"content":"${expectedText(2).slice(expectedText(1).length)}"}`) +
        frame("{}", '"stop"') +
        `${head}],"usage":{"prompt_tokens":1,"completion_tokens":3,"total_tokens":4}}\n\n` +
        "data: [DONE]\n\n",
    );
    expect(response.headers.get("content-type")).toBe("text/event-stream; charset=utf-8");
  });

  test("merges directives of model, header and message in rising priority", async () => {
    const body = {
      model: "fake:tokens=1,seed=3",
      messages: user([{ type: "text", text: "x [[fake tokens=4; pad=2]]" }]),
    };
    const answer = await (await ask(body, { "x-fake": "tokens=2" })).json();
    expect(answer).toMatchObject({ choices: [{ message: { content: expectedText(4, 3, 2) } }] });
  });

  test("asks for a tool first and answers when its result is in the messages", async () => {
    const args = Buffer.from('{"path":"a"}').toString("base64url");
    const model = `fake:tool=1,args=${args},tokens=2`;
    const tools = [{ type: "function", function: { name: "read_file" } }];
    const first = await (await ask({ model, tools, messages: user("x") })).json();
    expect(first).toMatchObject({
      choices: [
        {
          finish_reason: "tool_calls",
          message: {
            content: null,
            tool_calls: [{ function: { name: "read_file", arguments: '{"path":"a"}' } }],
          },
        },
      ],
    });
    const turn = [
      ...user("x"),
      { role: "assistant", tool_calls: [{ id: "c" }] },
      { role: "tool", tool_call_id: "c", content: "r" },
    ];
    const second = await (await ask({ model, tools, messages: turn })).json();
    expect(second).toMatchObject({
      choices: [{ finish_reason: "stop", message: { content: expectedText(2) } }],
    });
  });

  test("fails the first requests with a key only, and tells when to come back", async () => {
    const body = { model: "fake:fail=429,times=2,after=7,key=k", messages: user("x") };
    const first = await ask(body);
    expect([first.status, first.headers.get("retry-after")]).toEqual([429, "7"]);
    await first.arrayBuffer();
    const codes = [];
    for (let i = 0; i < 2; i++) {
      const response = await ask(body);
      codes.push(response.status);
      await response.arrayBuffer();
    }
    expect(codes).toEqual([429, 200]);
    expect(server.stats()).toMatchObject({ requests: 3, failed: 2, completed: 1, open: 0 });
  });

  test("sends reasoning in a whole answer, too, and a part or nothing of it when told so", async () => {
    const whole = await (
      await ask({ model: "fake:tokens=1,reason=2,finish=length", messages: user("x") })
    ).json();
    expect(whole).toMatchObject({
      choices: [
        {
          finish_reason: "length",
          message: { content: expectedText(1), reasoning_content: expectedReasoning(2) },
        },
      ],
      usage: { completion_tokens: 3 },
    });
    const cut = await ask({ model: "fake:cut=0", messages: user("x") });
    await expect(cut.text()).rejects.toThrow();
    const stop = new AbortController();
    const body = JSON.stringify({ model: "fake:stall=0", messages: user("x") });
    const stalled = fetch(`${server.url}/chat/completions`, { method: "POST", body, signal: stop.signal });
    while (server.stats().requests < 3) await new Promise((resolve) => setImmediate(resolve));
    stop.abort(new Error("enough"));
    await expect(stalled).rejects.toThrow("enough");
    while (server.stats().open > 0) await new Promise((resolve) => setImmediate(resolve));
    expect(server.stats()).toMatchObject({ completed: 1, cut: 1, aborted: 1 });
  });

  test("rejects requests with a parameter that the directives name", async () => {
    const model = "fake:reject=top_k+temperature";
    const rejected = await ask({ model, temperature: 1, messages: user("x") });
    expect(rejected.status).toBe(400);
    expect(await rejected.json()).toMatchObject({ error: { param: "temperature" } });
    const unnamed = await ask({ model: `${model},unnamed=1`, top_k: 1, messages: user("x") });
    expect(await unnamed.json()).toMatchObject({ error: { param: null } });
    expect((await ask({ model, messages: user("x") })).status).toBe(200);
  });

  test("paces tokens on a fixed schedule and stamps them with the machine's clock", async () => {
    const response = await ask({
      model: "fake:tokens=11,rate=100,stamp=1",
      stream: true,
      messages: user("x"),
    });
    const stamps = [...(await response.text()).matchAll(/@(\d+):(\d+) /g)];
    expect(stamps.map(([, seq]) => Number(seq))).toEqual([...Array(11).keys()]);
    const [firstUs, lastUs] = [Number(stamps[0]?.[2]), Number(stamps[10]?.[2])];
    expect(lastUs - firstUs).toBeGreaterThanOrEqual(95_000);
  });

  test("keeps the request bodies for tests to look at, and forgets them on reset", async () => {
    await (await ask({ model: "fake", messages: user("look") })).arrayBuffer();
    const root = server.url.replace(/\/v1$/, "");
    expect(await (await fetch(`${root}/requests`)).json()).toMatchObject([{ messages: user("look") }]);
    await fetch(`${root}/reset`, { method: "POST" });
    expect(server.requests()).toEqual([]);
  });
});
