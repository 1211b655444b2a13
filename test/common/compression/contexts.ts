import fc from "fast-check";
import type { ContextMessage } from "../../../common/compression/context-message.ts";
import type { SourcedMessage } from "../../../common/compression/model-context.ts";

/** A valid, tool-heavy context: turns of a user message, steps with up to four calls each, and an answer. */
export const toolHeavyContext = (minTurns = 1): fc.Arbitrary<readonly ContextMessage[]> =>
  fc
    .array(
      fc.record({
        said: fc.string({ minLength: 1, maxLength: 200 }),
        steps: fc.array(fc.array(fc.string({ maxLength: 3_000 }), { minLength: 1, maxLength: 4 }), {
          maxLength: 6,
        }),
        answer: fc.string({ minLength: 1, maxLength: 400 }).filter((text) => text.trim() !== ""),
      }),
      { minLength: minTurns, maxLength: 12 },
    )
    .map((turns) => {
      let n = 0;
      return turns.flatMap(({ said, steps, answer }): ContextMessage[] => [
        { role: "user", content: said },
        ...steps.flatMap((results): ContextMessage[] => {
          const calls = results.map((content) => ({ id: `c${n++}`, content }));
          return [
            {
              role: "assistant",
              content: "",
              toolCalls: calls.map(({ id }) => ({
                id,
                type: "function",
                function: { name: "read_file", arguments: `{"path":"${id}"}` },
              })),
            },
            ...calls.map(({ id, content }) => ({
              ...{ role: "tool" as const, toolCallId: id, toolName: "read_file", content, isError: false },
            })),
          ];
        }),
        { role: "assistant", content: answer },
      ]);
    });

export const sourced = (messages: readonly ContextMessage[]): readonly SourcedMessage[] =>
  messages.map((message, index) => ({ message, id: `m${index}` }));

/** A chat of short turns. */
export const chat = (turns: number): readonly ContextMessage[] =>
  Array.from({ length: turns }, (_, n): ContextMessage[] => [
    { role: "user", content: `question ${n}: what is the ${n}th thing about the harbour?` },
    { role: "assistant", content: `answer ${n}: the ${n}th thing is a boat named after the number ${n}.` },
  ]).flat();
