import { describe, expect, test } from "@jest/globals";
import type { ContextMessage } from "../../../common/compression/context-message.ts";
import { createTokenCounter } from "../../../common/compression/tokens.ts";
import { FittedContext } from "../../../workers/engines/builtin/fit-context.ts";
import type { ContextKeeper, EngineEvent, KeptContext } from "../../../workers/engines/port.ts";
import { contextFor } from "./harness.ts";

const counter = createTokenCounter();
const signal = new AbortController().signal;
const short: readonly ContextMessage[] = [{ role: "user", content: "short" }];

const keeperOf = (made: KeptContext | null, change: Partial<ContextKeeper> = {}) => {
  const asked: (number | null)[] = [];
  const keeper: ContextKeeper = {
    ...{ contextLength: 4_000, thresholdTokens: 2_000, resultBudget: 1_000, made: 0 },
    count: (messages) => counter.total(messages),
    prepare: async (tailTokens) => {
      asked.push(tailTokens);
      return made === null ? null : async () => made;
    },
    ...change,
  };
  return { keeper, asked };
};
const makes: KeptContext = { kind: "made", version: 1, tokensBefore: 9, tokensAfter: 1, messages: short };
const longHistory: readonly ContextMessage[] = [{ role: "user", content: "many words here ".repeat(2_000) }];
const step = (id: string, content: string) => ({
  ...{ text: "", reasoning: "" },
  results: [
    {
      call: { id, type: "function" as const, function: { name: "read_file", arguments: "{}" } },
      ...{ content, isError: false },
    },
  ],
});
const drain = async <T>(events: AsyncGenerator<EngineEvent, T, undefined>) => {
  const types: string[] = [];
  for (;;) {
    const { value, done } = await events.next();
    if (done) return { types, result: value };
    types.push(value.type);
  }
};

describe("a turn's prompt", () => {
  test("is left alone below the threshold, and without a keeper", async () => {
    const { keeper, asked } = keeperOf(makes);
    const fitted = new FittedContext(contextFor("", { keeper }), []);
    expect((await drain(fitted.makeRoom(signal))).types).toEqual([]);
    expect(asked).toEqual([]);
    const without = new FittedContext(contextFor("", { messages: longHistory }), []);
    expect((await drain(without.makeRoom(signal))).types).toEqual([]);
    expect((await drain(without.makeRoomAfterRefusal(signal))).result).toBe(false);
  });

  test("gets the compressed history; a turn compresses twice at most, whatever earlier attempts did", async () => {
    const { keeper, asked } = keeperOf({ ...makes, messages: longHistory });
    const fitted = new FittedContext(contextFor("", { keeper, messages: longHistory }), []);
    for (const expected of [["compressing", "compressed"], ["compressing", "compressed"], []])
      expect((await drain(fitted.makeRoom(signal))).types).toEqual(expected);
    expect(asked).toEqual([null, null]);
    const later = new FittedContext(
      contextFor("", { keeper: { ...keeper, made: 2 }, messages: longHistory }),
      [],
    );
    expect((await drain(later.makeRoom(signal))).types).toEqual([]);
  });

  test("keeps the turn's own steps; their results are cut, the oldest first, and calls keep their results", async () => {
    const { keeper } = keeperOf(null);
    const fitted = new FittedContext(contextFor("", { keeper }), []);
    for (let n = 0; n < 6; n++) fitted.add(step(`c${n}`, `result ${n} `.repeat(400)));
    const before = JSON.stringify(fitted.prompt()).length;
    await drain(fitted.makeRoom(signal));
    const prompt = fitted.prompt();
    expect(JSON.stringify(prompt).length).toBeLessThan(before / 3);
    expect(prompt.filter(({ role }) => role === "tool")).toHaveLength(6);
    expect(JSON.stringify(prompt.at(-1))).toContain("result 5 result 5");
    expect(JSON.stringify(prompt[2])).toContain("left out to save room");
    // A later attempt makes the same prompt of the same steps.
    const again = new FittedContext(contextFor("", { keeper }), []);
    for (let n = 0; n < 6; n++) again.add(step(`c${n}`, `result ${n} `.repeat(400)));
    await drain(again.makeRoom(signal));
    expect(again.prompt()).toEqual(prompt);
  });

  test("a refusal makes room while there is some to make, and says when there is none", async () => {
    const { keeper, asked } = keeperOf(makes);
    const fitted = new FittedContext(contextFor("", { keeper, messages: longHistory }), []);
    const first = await drain(fitted.makeRoomAfterRefusal(signal));
    expect(first).toEqual({ types: ["compressing", "compressed"], result: true });
    expect(asked).toEqual([0]);
    expect((await drain(fitted.makeRoomAfterRefusal(signal))).result).toBe(false);
  });

  test("a failed compression is told and changes nothing", async () => {
    const { keeper } = keeperOf({ kind: "refused", reason: "compression_failed", message: "no" });
    const fitted = new FittedContext(contextFor("", { keeper, messages: longHistory }), []);
    const before = fitted.prompt();
    expect((await drain(fitted.makeRoom(signal))).types).toEqual(["compressing", "warning"]);
    expect(fitted.prompt()).toEqual(before);
  });
});
