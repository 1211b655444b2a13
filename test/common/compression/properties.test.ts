import { describe, expect, test } from "@jest/globals";
import fc from "fast-check";
import type { ContextMessage } from "../../../common/compression/context-message.ts";
import type { ContextVersion } from "../../../common/compression/context-version.ts";
import { effectiveContext } from "../../../common/compression/effective.ts";
import { prepareCompression } from "../../../common/compression/prepare.ts";
import { createTokenCounter } from "../../../common/compression/tokens.ts";
import { faultsOf } from "../../../common/compression/validate.ts";
import { sourced, toolHeavyContext } from "./contexts.ts";

const counter = createTokenCounter();
const limits = { contextLength: 32_000, thresholdTokens: 8_000 };

/** Compresses a context as a job does, with this summary. */
const compress = async (
  messages: readonly ContextMessage[],
  versions: readonly ContextVersion[],
  tailTokens: number,
) => {
  const before = effectiveContext(sourced(messages), versions);
  const prepared = await prepareCompression(before, counter, { ...limits, tailTokens });
  if (prepared === null) return null;
  const { covered, resultBudget } = prepared;
  return { prepared, version: { version: versions.length + 1, summary: "notes", covered, resultBudget } };
};

describe("compressed contexts", () => {
  test("the validator finds what providers refuse", () => {
    const user: ContextMessage = { role: "user", content: "hi" };
    const call = { id: "c", type: "function" as const, function: { name: "f", arguments: "{}" } };
    const asks: ContextMessage = { role: "assistant", content: "", toolCalls: [call] };
    const result: ContextMessage = {
      role: "tool",
      toolCallId: "c",
      toolName: "f",
      content: "",
      isError: false,
    };
    const answer: ContextMessage = { role: "assistant", content: "yes" };
    expect(faultsOf([user, asks, result, answer])).toEqual([]);
    for (const broken of [
      [user, asks, answer],
      [user, asks],
      [user, result, answer],
      [user, asks, result, result, answer],
      [asks, result, answer],
      [user, user],
      [user, answer, answer],
      [user, { ...answer, content: " " }],
    ])
      expect(faultsOf(broken)).not.toEqual([]);
  });

  test("B-23 compressed-context-is-valid: 200 random tool-heavy contexts, at random points, twice", async () => {
    await fc.assert(
      fc.asyncProperty(
        toolHeavyContext(2),
        fc.nat(3_000),
        fc.nat(3_000),
        fc.boolean(),
        async (whole, tail, again, asks) => {
          // Either between two turns, or with a message that waits for its answer.
          const messages: readonly ContextMessage[] = asks
            ? [...whole, { role: "user", content: "and?" }]
            : whole;
          expect(faultsOf(messages)).toEqual([]);
          const first = await compress(messages, [], tail);
          // One that is short enough counts for none.
          fc.pre(first !== null);
          if (first === null) return;
          const once = effectiveContext(sourced(messages), [first.version]);
          expect(once.version).toBe(first.version);
          expect(faultsOf(once.messages)).toEqual([]);
          // A turn later, once more.
          const next: ContextMessage = { role: "user", content: "the next question" };
          const later: readonly ContextMessage[] = asks
            ? [...messages, { role: "assistant", content: "that." }, next]
            : [...messages, next];
          const second = await compress(later, [first.version], again);
          const versions = second === null ? [first.version] : [second.version, first.version];
          const twice = effectiveContext(sourced(later), versions);
          expect(faultsOf(twice.messages)).toEqual([]);
          expect(twice.version).toBe(versions[0]);
          // B-24: what the user wrote last is there as it was written, and is the last thing the user says.
          expect(twice.messages.findLast(({ role }) => role === "user")).toBe(next);
        },
      ),
      { numRuns: 200 },
    );
  });

  test("B-24: whatever is compressed, the newest user message stays as it is", async () => {
    await fc.assert(
      fc.asyncProperty(toolHeavyContext(), fc.nat(2_000), async (messages, tail) => {
        const made = await compress(messages, [], tail);
        if (made === null) return;
        const { messages: sent } = effectiveContext(sourced(messages), [made.version]);
        const newest = messages.findLast(({ role }) => role === "user");
        expect(sent.filter(({ role }) => role === "user").at(-1)).toBe(newest);
      }),
      { numRuns: 100 },
    );
  });

  test("B-26: nothing is lost: what is not summarised is sent, and the whole history is still there", async () => {
    await fc.assert(
      fc.asyncProperty(toolHeavyContext(2), fc.nat(2_000), async (messages, tail) => {
        const made = await compress(messages, [], tail);
        if (made === null) return;
        const after = effectiveContext(sourced(messages), [made.version]);
        expect(after.raw.map(({ message }) => message)).toEqual(messages);
        const covered = after.isCovered.filter(Boolean).length;
        expect(covered).toBe(made.prepared.summarised);
        const note = after.messages.length - (messages.length - covered);
        expect([1, 2]).toContain(note);
      }),
      { numRuns: 100 },
    );
  });
});
