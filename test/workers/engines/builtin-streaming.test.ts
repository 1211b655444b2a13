import { afterAll, beforeAll, beforeEach, describe, expect, test } from "@jest/globals";
import type { ModelServer } from "../../../workers/engines/demo/model-server.ts";
import { expectedReasoning, expectedText } from "../../../workers/engines/demo/words.ts";
import { EngineError } from "../../../workers/engines/port.ts";
import { startFakeModel } from "../../helpers/fake-model.ts";
import { collect, contextFor, directed, ofType, testEngine, textOf } from "./harness.ts";

let server: ModelServer;
beforeAll(async () => {
  server = await startFakeModel();
});
afterAll(() => server.close());
beforeEach(() => server.reset());

const engine = testEngine();

describe("a model call of the built-in engine", () => {
  test("streams text and reasoning, and its step holds exactly what was streamed", async () => {
    const { events, error } = await collect(engine, directed(server.url, "tokens=50 reason=9"));
    expect(error).toBeNull();
    const [end] = ofType(events, "step_end");
    expect(textOf(events)).toBe(expectedText(50));
    expect(textOf(events, "reasoning")).toBe(expectedReasoning(9));
    expect(end).toMatchObject({
      step: 1,
      text: textOf(events),
      reasoning: textOf(events, "reasoning"),
      toolCalls: [],
      finishReason: "stop",
      usage: { outputTokens: 59 },
    });
    expect(ofType(events, "text").length).toBe(50);
    expect(events.at(-1)?.type).toBe("step_end");
  });

  test("sends instructions only when there are any, and the user's text as it is", async () => {
    const messages = [{ role: "user" as const, content: "  spaces and\nlines [[fake tokens=1]] " }];
    await collect(engine, contextFor(server.url, { messages }));
    await collect(engine, contextFor(server.url, { messages, instructions: "Be brief." }));
    expect(server.requests().map((body) => (body as { messages: unknown }).messages)).toEqual([
      messages,
      [{ role: "system", content: "Be brief." }, ...messages],
    ]);
  });

  test("sends the key it was given and none when there is none", async () => {
    const { provider, model } = contextFor(server.url).model;
    const keyed = { provider, model, baseUrl: server.url, apiKey: "sk-canary" };
    const seen: (string | null)[] = [];
    const spy = testEngine({
      fetch: (input, init) => {
        seen.push(new Headers(init?.headers).get("authorization"));
        return fetch(input, init);
      },
    });
    await collect(spy, directed(server.url, "tokens=1", { model: keyed }));
    await collect(spy, directed(server.url, "tokens=1"));
    expect(seen).toEqual(["Bearer sk-canary", null]);
  });

  test.each(["openai", "custom", "anything"])("speaks to an address under provider %s", async (provider) => {
    const model = { provider, model: "fake", baseUrl: server.url, apiKey: "k" };
    const { events, error } = await collect(engine, directed(server.url, "tokens=3", { model }));
    expect(error).toBeNull();
    expect(textOf(events)).toBe(expectedText(3));
  });

  test.each([
    ["openai", "OPENAI_API_KEY"],
    ["anthropic", "ANTHROPIC_API_KEY"],
  ])("names the missing key of %s and where to put it", async (provider, variable) => {
    const model = { provider, model: "m", baseUrl: null, apiKey: null };
    const { error } = await collect(engine, contextFor("", { model }));
    expect(error).toBeInstanceOf(EngineError);
    expect(error).toMatchObject({ code: "auth_mismatch", hint: expect.stringContaining(variable) });
    expect((error as EngineError).hint).toContain(".env");
  });

  test.each([null, "", "not an address", "file:///etc/passwd", "http://user:pass@127.0.0.1/v1"])(
    "refuses the address %p with a hint",
    async (baseUrl) => {
      const model = { provider: "custom", model: "m", baseUrl, apiKey: null };
      const { error, events } = await collect(engine, contextFor("", { model }));
      expect(error).toMatchObject({ code: "error", hint: expect.stringContaining("base_url") });
      expect(events).toEqual([]);
    },
  );

  test("300 runs at once in one process are all open, and all end with the stop", async () => {
    const stop = new AbortController();
    const runs = Array.from({ length: 300 }, () => engine.run(directed(server.url, "stall=1"), stop.signal));
    const first = await Promise.all(runs.map((run) => run.next()));
    expect(first.every(({ value }) => value?.type === "text")).toBe(true);
    expect(server.stats()).toMatchObject({ requests: 300 });
    const rest = Promise.allSettled(runs.map((run) => run.next()));
    stop.abort("stopped");
    expect((await rest).every((end) => end.status === "rejected" && end.reason === "stopped")).toBe(true);
  });

  test("300 runs at once in one process all stream their whole text", async () => {
    const runs = Array.from({ length: 300 }, (_, i) =>
      collect(engine, directed(server.url, `tokens=20 rate=20 seed=${i}`)),
    );
    const outcomes = await Promise.all(runs);
    expect(outcomes.map(({ events }) => textOf(events))).toEqual(outcomes.map((_, i) => expectedText(20, i)));
  });
});
