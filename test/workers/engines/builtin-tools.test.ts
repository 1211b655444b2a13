import { afterAll, beforeAll, beforeEach, describe, expect, test } from "@jest/globals";
import { z } from "zod";
import { STOPPED_RESULT } from "../../../workers/engines/builtin/prompt.ts";
import { UNKNOWN_OUTCOME } from "../../../workers/engines/builtin/tool-calls.ts";
import type { ModelServer } from "../../../workers/engines/demo/model-server.ts";
import { expectedText } from "../../../workers/engines/demo/words.ts";
import type { RecordedStep } from "../../../workers/engines/port.ts";
import { defineTool, type Tool } from "../../../workers/tools/tool.ts";
import { startFakeModel } from "../../helpers/fake-model.ts";
import { collect, contextFor, directed, ofType, testEngine, textOf } from "./harness.ts";

let server: ModelServer;
beforeAll(async () => {
  server = await startFakeModel();
});
afterAll(() => server.close());
beforeEach(() => server.reset());

/** A tool that remembers how it was called. */
const recorder = (idempotent = false): Tool & { readonly calls: string[] } => {
  const calls: string[] = [];
  const tool = defineTool({
    name: "note",
    description: "Notes a word.",
    parameters: z.object({ word: z.string().default("none") }),
    idempotent,
    run: async ({ word }) => {
      calls.push(word);
      return { content: `noted ${word}`, isError: false };
    },
  });
  return { ...tool, calls };
};

const encoded = (args: unknown): string => Buffer.from(JSON.stringify(args)).toString("base64url");
/** The messages of the newest request, after the user's. */
const lastMessages = (): unknown[] =>
  (server.requests().at(-1) as { messages: { role: string }[] }).messages.filter(
    ({ role }) => role !== "user",
  );

describe("tool calls", () => {
  test("run between the steps, in order, and the model reads their results", async () => {
    const note = recorder();
    const context = directed(
      server.url,
      `tool=note rounds=2 parallel=2 pre=3 tokens=4 reason=2 args=${encoded({ word: "tea" })}`,
    );
    const { events, error } = await collect(testEngine({ tools: [note] }), context);
    expect(error).toBeNull();
    expect(note.calls).toEqual(["tea", "tea", "tea", "tea"]);
    expect(
      events.filter(({ type }) => type !== "text" && type !== "reasoning").map(({ type }) => type),
    ).toEqual([
      ...["step_end", "tool_start", "tool_end", "tool_start", "tool_end"],
      ...["step_end", "tool_start", "tool_end", "tool_start", "tool_end"],
      "step_end",
    ]);
    const steps = ofType(events, "step_end");
    expect(steps.map(({ step, text, finishReason }) => [step, text, finishReason])).toEqual([
      [1, expectedText(3), "tool_calls"],
      [2, expectedText(3), "tool_calls"],
      [3, expectedText(4), "stop"],
    ]);
    expect(steps[0]?.toolCalls[0]?.function).toEqual({ name: "note", arguments: '{"word":"tea"}' });
    const ids = steps.flatMap(({ toolCalls }) => toolCalls.map(({ id }) => id));
    expect(new Set(ids).size).toBe(4);
    expect(lastMessages().slice(0, 3)).toEqual([
      {
        role: "assistant",
        content: expectedText(3),
        reasoning_content: steps[0]?.reasoning,
        tool_calls: steps[0]?.toolCalls,
      },
      { role: "tool", tool_call_id: ids[0], content: "noted tea" },
      { role: "tool", tool_call_id: ids[1], content: "noted tea" },
    ]);
    expect(ofType(events, "tool_end")[0]).toMatchObject({
      outcome: "done",
      isError: false,
      result: "noted tea",
    });
  });

  test("a tool starts only after its intent was taken by the consumer", async () => {
    const note = recorder();
    const run = testEngine({ tools: [note] }).run(
      directed(server.url, "tool=note"),
      new AbortController().signal,
    );
    for (let next = await run.next(); next.value?.type !== "tool_start"; next = await run.next());
    expect(note.calls).toEqual([]);
    expect((await run.next()).value).toMatchObject({ type: "tool_end" });
    expect(note.calls).toEqual(["none"]);
    await run.return();
  });

  test("the parameters reach the provider as a JSON schema", async () => {
    await collect(testEngine({ tools: [recorder()] }), directed(server.url, "tokens=1"));
    expect(server.requests()).toMatchObject([
      {
        tools: [
          {
            type: "function",
            function: {
              name: "note",
              parameters: { type: "object", properties: { word: { type: "string" } } },
            },
          },
        ],
      },
    ]);
  });

  test.each([
    ["an unknown tool", "tool=nope", "no tool called"],
    ["arguments that do not fit", `tool=note args=${encoded({ word: 7 })}`, "do not fit"],
  ])("%s is told to the model and nothing runs", async (_name, directives, problem) => {
    const note = recorder();
    const { events, error } = await collect(
      testEngine({ tools: [note] }),
      directed(server.url, `${directives} tokens=2`),
    );
    expect(error).toBeNull();
    expect(note.calls).toEqual([]);
    expect(ofType(events, "tool_start")).toEqual([]);
    expect(ofType(events, "tool_end")).toMatchObject([
      { isError: true, outcome: "done", result: expect.stringContaining(problem) },
    ]);
    expect(lastMessages().at(-1)).toMatchObject({ role: "tool", content: expect.stringContaining(problem) });
    expect(textOf(events)).toBe(expectedText(2));
  });

  test("a tool that throws has a result that says so", async () => {
    const broken = defineTool({
      name: "note",
      description: "",
      parameters: z.object({}),
      idempotent: false,
      run: () => Promise.reject(new Error("the shelf fell")),
    });
    const { events } = await collect(testEngine({ tools: [broken] }), directed(server.url, "tool=note"));
    expect(ofType(events, "tool_end")).toMatchObject([
      { isError: true, result: "The tool failed: the shelf fell" },
    ]);
  });

  test("more steps than allowed end with step_limit", async () => {
    const note = recorder();
    const context = directed(server.url, "tool=note rounds=9", { maxSteps: 2 });
    const { events, error } = await collect(testEngine({ tools: [note] }), context);
    expect(error).toBeNull();
    expect(events.at(-1)).toEqual({ type: "step_limit" });
    expect(note.calls.length).toBe(2);
    expect(server.stats().requests).toBe(2);
  });

  test("a stop inside a tool that ignores it still ends the run soon", async () => {
    let aborted = false;
    const stubborn = defineTool({
      name: "note",
      description: "",
      parameters: z.object({}),
      idempotent: false,
      run: (_args, { signal }) =>
        new Promise<never>(() => {
          signal.addEventListener("abort", () => {
            aborted = true;
          });
        }),
    });
    const stop = new AbortController();
    const run = testEngine({ tools: [stubborn] }).run(directed(server.url, "tool=note"), stop.signal);
    for (let next = await run.next(); next.value?.type !== "tool_start"; next = await run.next());
    const waiting = run.next();
    stop.abort("stopped");
    await expect(waiting).rejects.toBe("stopped");
    expect(aborted).toBe(true);
  });
});

describe("resuming after a crash", () => {
  const call = (id: string, word: string) => ({
    id,
    type: "function" as const,
    function: { name: "note", arguments: JSON.stringify({ word }) },
  });
  const step = (number: number, ...toolCalls: RecordedStep["toolCalls"]): RecordedStep => ({
    step: number,
    text: `step ${number}`,
    reasoning: "",
    toolCalls,
  });
  const done = (number: number, callId: string) => ({
    step: number,
    callId,
    outcome: "done" as const,
    result: `recorded ${callId}`,
    isError: false,
  });
  const unknown = (number: number, callId: string) => ({
    step: number,
    callId,
    outcome: "unknown" as const,
    result: "",
    isError: true,
  });

  test("completed steps and their results are reused, and the next step goes on", async () => {
    const note = recorder();
    const context = directed(server.url, "tokens=3", {
      attempt: 2,
      steps: [step(1, call("a", "x")), step(2, call("b", "y"))],
      tools: [done(1, "a"), done(2, "b")],
    });
    const { events, error } = await collect(testEngine({ tools: [note] }), context);
    expect(error).toBeNull();
    expect(note.calls).toEqual([]);
    expect(events.filter(({ type }) => type !== "text")).toMatchObject([{ type: "step_end", step: 3 }]);
    expect(lastMessages()).toEqual([
      { role: "assistant", content: "step 1", tool_calls: [call("a", "x")] },
      { role: "tool", tool_call_id: "a", content: "recorded a" },
      { role: "assistant", content: "step 2", tool_calls: [call("b", "y")] },
      { role: "tool", tool_call_id: "b", content: "recorded b" },
    ]);
  });

  test("the same call id in two steps means two calls", async () => {
    const note = recorder();
    const context = directed(server.url, "tokens=1", {
      steps: [step(1, call("0", "x")), step(2, call("0", "y"))],
      tools: [done(1, "0")],
    });
    await collect(testEngine({ tools: [note] }), context);
    expect(note.calls).toEqual(["y"]);
  });

  test("a call in doubt is not run again: the model reads that its outcome is unknown", async () => {
    const note = recorder();
    const context = directed(server.url, "tokens=1", {
      steps: [step(1, call("a", "x"), call("b", "y"), call("c", "z"))],
      tools: [done(1, "a"), unknown(1, "b")],
    });
    const { events } = await collect(testEngine({ tools: [note] }), context);
    expect(note.calls).toEqual(["z"]);
    expect(ofType(events, "tool_start").map((event) => event.call.id)).toEqual(["c"]);
    expect(ofType(events, "tool_end")).toMatchObject([
      { call: { id: "b" }, outcome: "unknown", isError: true, result: UNKNOWN_OUTCOME },
      { call: { id: "c" }, outcome: "done", isError: false },
    ]);
    expect(lastMessages().slice(1)).toMatchObject([
      { content: "recorded a" },
      { content: UNKNOWN_OUTCOME },
      { content: "noted z" },
    ]);
  });

  test("an idempotent call in doubt is run again", async () => {
    const note = recorder(true);
    const context = directed(server.url, "tokens=1", {
      steps: [step(1, call("b", "y"))],
      tools: [unknown(1, "b")],
    });
    const { events } = await collect(testEngine({ tools: [note] }), context);
    expect(note.calls).toEqual(["y"]);
    expect(events.slice(0, 2)).toMatchObject([
      { type: "tool_start", idempotent: true },
      { type: "tool_end", outcome: "done", result: "noted y" },
    ]);
  });

  test("a recorded answer is not asked for again", async () => {
    const { events, error } = await collect(
      testEngine(),
      directed(server.url, "tokens=1", { steps: [step(1)] }),
    );
    expect([events, error]).toEqual([[], null]);
    expect(server.stats().requests).toBe(0);
  });

  test("recorded steps count towards the limit", async () => {
    const context = directed(server.url, "tokens=1", {
      steps: [step(1, call("a", "x"))],
      tools: [done(1, "a")],
      maxSteps: 1,
    });
    expect((await collect(testEngine(), context)).events).toEqual([{ type: "step_limit" }]);
  });
});

describe("the conversation that is sent", () => {
  test("continue-after-stop: a stopped turn's open calls get a result, and the turn is there once (C-9)", async () => {
    const open = { id: "b", type: "function" as const, function: { name: "note", arguments: "{broken" } };
    const finished = { id: "a", type: "function" as const, function: { name: "note", arguments: "{}" } };
    await collect(
      testEngine(),
      contextFor(server.url, {
        messages: [
          { role: "user", content: "first" },
          { role: "assistant", content: "part", reasoning: "hm", toolCalls: [finished, open] },
          { role: "tool", toolCallId: "a", toolName: "note", content: "ok", isError: false },
          { role: "tool", toolCallId: "zzz", toolName: "note", content: "orphan", isError: false },
          { role: "assistant", content: "" },
          { role: "user", content: "go on" },
        ],
      }),
    );
    expect((server.requests().at(-1) as { messages: unknown }).messages).toEqual([
      { role: "user", content: "first" },
      {
        role: "assistant",
        content: "part",
        tool_calls: [finished, { ...open, function: { name: "note", arguments: "{}" } }],
      },
      { role: "tool", tool_call_id: "a", content: "ok" },
      { role: "tool", tool_call_id: "b", content: STOPPED_RESULT },
      { role: "user", content: "go on" },
    ]);
  });
});
