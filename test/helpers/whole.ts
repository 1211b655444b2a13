import { expect } from "@jest/globals";
import type { Deployment } from "./deployment.ts";
import type { Follower } from "./follower.ts";

/** `[[fake …]]` directives that make the model call `run_command` with this command once, then answer. */
export const commandPrompt = (command: string, more: string): string =>
  `[[fake tool=run_command args=${Buffer.from(JSON.stringify({ command })).toString("base64url")} ${more}]]`;

/**
 * The promise, checked from outside: the text is right and once, live and stored; one terminal event; the run has ended as
 * it says; and the session takes the next message.
 */
export const expectWhole = async (
  deployment: Deployment,
  run: { readonly id: string; readonly session_id: string },
  follower: Follower,
  text: string,
): Promise<void> => {
  await follower.ended;
  expect(follower.text()).toBe(text);
  const ends = follower.frames.filter((frame) =>
    ["done", "cancel", "apperror", "interrupted"].includes(frame.event),
  );
  expect(ends.map((frame) => frame.event)).toEqual(["done"]);
  const stored = await deployment.getRun(run.id);
  expect(stored.status).toBe("completed");
  expect(stored.last_event_id).toBe(follower.frames.findLast((frame) => frame.id !== undefined)?.id);

  const messages = (await deployment.messages(run.session_id)).filter((message) => message.run_id === run.id);
  const answer = messages.filter((message) => message.role === "assistant").map((message) => message.content);
  expect(answer.join("")).toBe(text);
  expect(messages.filter((message) => message.role === "user")).toHaveLength(1);

  const next = await deployment.startRun(run.session_id, "[[fake tokens=3]]");
  const after = deployment.follow(next.id);
  await after.ended;
  expect(after.view.terminal?.event).toBe("done");
};
