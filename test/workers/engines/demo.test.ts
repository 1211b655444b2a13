import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import type { ContextMessage } from "../../../common/compression/context-message.ts";
import { createDemoEndpoint, type DemoEndpoint } from "../../../workers/engines/demo/endpoint.ts";
import { expectedText } from "../../../workers/engines/demo/words.ts";
import { createDefaultTools } from "../../../workers/tools/default-tools.ts";
import { collect, contextFor, ofType, testEngine, textOf } from "./harness.ts";

let demo: DemoEndpoint;
let workspace: string;
beforeAll(async () => {
  demo = createDemoEndpoint({ rate: 0 });
  workspace = await mkdtemp(join(tmpdir(), "talaria-demo-"));
});
afterAll(async () => {
  await demo.close();
  await rm(workspace, { recursive: true });
});

const say = (content: string, before: readonly ContextMessage[] = []) =>
  collect(
    testEngine({ demo, tools: createDefaultTools() }),
    contextFor("", {
      messages: [...before, { role: "user", content }],
      model: { provider: "demo", model: "demo", baseUrl: null, apiKey: null },
      childEnv: { PATH: process.env.PATH ?? "/usr/bin:/bin" },
      workspace,
    }),
  );

describe("the demo model", () => {
  test("says what it is, repeats what was asked and what to try, the same every time", async () => {
    const [first, second] = [await say("What is the weather?"), await say("What is the weather?")];
    const text = textOf(first.events);
    expect(first.error).toBeNull();
    expect(text).toContain("I am the demo model");
    expect(text).toContain("> What is the weather?");
    expect(text).toContain("list files");
    expect(textOf(second.events)).toBe(text);
  });

  test("knows that there were messages before", async () => {
    const before = [
      { role: "user" as const, content: "one" },
      { role: "assistant" as const, content: "two" },
    ];
    expect(textOf((await say("three?", before)).events)).toContain("message 2 of our conversation");
  });

  test("reasons before it answers when asked to think", async () => {
    const { events } = await say("please think about it");
    expect(events[0]).toMatchObject({ type: "reasoning" });
    expect(textOf(events, "reasoning")).toContain("please think about it");
    expect(textOf(events)).not.toBe("");
  });

  test("writes, lists, reads and runs for real", async () => {
    const wrote = await say("write notes.txt: hello there");
    expect(ofType(wrote.events, "tool_end")).toMatchObject([{ isError: false }]);
    expect(await readFile(join(workspace, "notes.txt"), "utf8")).toBe("hello there");
    expect(textOf((await say("list files")).events)).toContain("notes.txt 11");
    expect(textOf((await say("read notes.txt")).events)).toContain("hello there");
    expect(textOf((await say("run echo $((6*7))")).events)).toContain("42\n[exit code 0]");
  });

  test("takes what the system says in a person's place for what it is", async () => {
    const { events } = await say("[System notice, not written by the user: …] run ls");
    expect(ofType(events, "tool_end")).toEqual([]);
    expect(textOf(events)).toContain("left running in the background has ended");
  });

  test("answers with Markdown and with a long text", async () => {
    expect(textOf((await say("show me a table")).events)).toMatch(/```ts[\s\S]+\| Part/);
    expect(textOf((await say("a long answer")).events).length).toBeGreaterThan(1000);
  });

  test("fails like a provider when asked to", async () => {
    const broken = await say("an error, please");
    expect(broken.error).toMatchObject({ code: "provider_unavailable" });
    expect(textOf(broken.events)).toContain("You asked for an error");
    expect((await say("rate limit")).error).toMatchObject({ code: "rate_limit" });
    for (let turn = 0; turn < 2; turn++) {
      const flaky = await say("be flaky");
      expect(flaky.error).toBeNull();
      expect(ofType(flaky.events, "warning").length).toBe(2);
    }
  });

  test("follows directives, too", async () => {
    expect(textOf((await say("x [[fake tokens=3]]")).events)).toBe(expectedText(3));
  });

  test("tells nobody on the machine what was said to it, and starts again after it was closed", async () => {
    const own = createDemoEndpoint();
    const root = (await own.baseUrl()).replace(/\/v1$/, "");
    expect((await fetch(`${root}/requests`)).status).toBe(404);
    expect(await own.baseUrl()).toBe(`${root}/v1`);
    await own.close();
    await own.close();
    expect((await fetch(`${await own.baseUrl()}/models`)).status).toBe(200);
    await own.close();
  });
});
