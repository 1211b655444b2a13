import { existsSync, readFileSync, watch } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import { expectedText } from "../../workers/engines/demo/words.ts";
import { type Deployment, startDeployment } from "../helpers/deployment.ts";
import type { Follower } from "../helpers/follower.ts";
import { commandPrompt, expectWhole } from "../helpers/whole.ts";

/**
 * reliability 4 to 7, run-events R-37, R-45 (as DESIGN 12.2 changes it): SIGKILL the worker between any two of its steps. The
 * answer is whole and once, no tool runs twice, and another worker goes on within ten seconds.
 */
const TAKE_OVER_MS = 10_000;
const ANSWER = expectedText(60);

describe("kill -9 of the worker", () => {
  let d: Deployment;
  beforeAll(async () => {
    d = await startDeployment();
  });
  afterAll(() => d.close());

  const countOf = (name: string): number => {
    const file = join(d.home, "workspace", name);
    return existsSync(file) ? readFileSync(file, "utf8").split("\n").filter(Boolean).length : 0;
  };

  /** Starts a run on a fresh worker, kills the worker when `moment` has come, starts another one and checks everything. */
  const killAt = async (
    input: string,
    moment: (follower: Follower) => Promise<unknown>,
    text: string,
  ): Promise<Follower> => {
    const session = await d.createSession();
    const worker = await d.startWorker();
    const run = await d.startRun(session.id, input);
    const follower = d.follow(run.id);
    await moment(follower);
    const attempts = follower.frames.filter((frame) => frame.event === "run_started").length;
    await worker.kill();
    d.relay.release();
    const killedAt = performance.now();
    const next = await d.startWorker();
    const already = follower.frames.some((frame) => frame.event === "done");
    if (!already) {
      await Promise.race([
        follower.until(
          (frame) => frame.event === "done" || (frame.event === "run_started" && frame.data.attempt === 2),
        ),
        follower.ended,
      ]);
      expect(performance.now() - killedAt).toBeLessThan(TAKE_OVER_MS);
    }
    expect(attempts).toBeLessThanOrEqual(1);
    await expectWhole(d, run, follower, text);
    await next.stop();
    return follower;
  };

  test("claimed, nothing said: the next attempt does all of it", async () => {
    const hold = d.relay.holdBefore("run_started");
    await killAt("[[fake tokens=60 rate=200]]", () => hold, ANSWER);
  });

  test("after the first token: the step's text is taken back and said again, once", async () => {
    const follower = await killAt(
      "[[fake tokens=60 rate=50]]",
      (f) => f.until((frame) => frame.event === "token"),
      ANSWER,
    );
    expect(follower.frames.filter((frame) => frame.event === "step_reset")).toHaveLength(1);
  });

  test("mid-text", async () => {
    await killAt("[[fake tokens=60 rate=50 reason=10]]", (f) => f.until(() => f.text().length > 100), ANSWER);
  });

  test("tool-intent-recorded-not-journaled: the outcome is unknown and the command is not run again", async () => {
    const hold = d.relay.holdBefore("tool.started");
    const follower = await killAt(
      commandPrompt("echo x >> count-intent", "tokens=60 rate=200 pre=5"),
      () => hold,
      expectedText(5) + ANSWER,
    );
    expect(countOf("count-intent")).toBe(0);
    expect(follower.frames.find((frame) => frame.event === "tool_complete")?.data.outcome).toBe("unknown");
  });

  test("in a tool: it is not run again and its children are gone", async () => {
    const started = fileAppears(() => join(d.home, "workspace"), "in-tool");
    const follower = await killAt(
      commandPrompt("echo x >> count-in; touch in-tool; sleep 61.7", "tokens=60 rate=200 pre=5"),
      () => started,
      expectedText(5) + ANSWER,
    );
    expect(countOf("count-in")).toBe(1);
    expect(follower.frames.filter((frame) => frame.event === "tool")).toHaveLength(1);
    expect(follower.frames.find((frame) => frame.event === "tool_complete")?.data.outcome).toBe("unknown");
    const body = d.model.requests().at(-2) as { messages: { role: string; content: string }[] };
    expect(body.messages.find((message) => message.role === "tool")?.content).toMatch(
      /outcome of this call is unknown/,
    );
  });

  test("tool result recorded, not journaled: the recorded result is used", async () => {
    const hold = d.relay.holdBefore("tool.completed");
    const follower = await killAt(
      commandPrompt("echo x >> count-result", "tokens=60 rate=200 pre=5"),
      () => hold,
      expectedText(5) + ANSWER,
    );
    expect(countOf("count-result")).toBe(1);
    expect(follower.frames.find((frame) => frame.event === "tool_complete")?.data.outcome).toBe("done");
  });

  test("after the tool's result was shown", async () => {
    await killAt(
      commandPrompt("echo x >> count-after", "tokens=60 rate=50 pre=5"),
      (f) => f.until((frame) => frame.event === "tool_complete"),
      expectedText(5) + ANSWER,
    );
    expect(countOf("count-after")).toBe(1);
  });

  test("crash-between-save-and-done: the committed answer is told as done, not done again", async () => {
    const before = d.model.stats().requests;
    const hold = d.relay.holdBefore("stream_end");
    const follower = await killAt("[[fake tokens=60 rate=200]]", () => hold, ANSWER);
    expect(follower.frames.filter((frame) => frame.event === "run_started")).toHaveLength(1);
    // One request of the killed run, one of the message after it.
    expect(d.model.stats().requests - before).toBe(2);
  });

  test("poison run: ends after three attempts as worker_crashed, and the session goes on", async () => {
    const session = await d.createSession();
    const run = await d.startRun(session.id, "[[fake tokens=500 rate=20]]");
    const follower = d.follow(run.id);
    for (let attempt = 1; attempt <= 3; attempt++) {
      const worker = await d.startWorker();
      await follower.until((frame) => frame.event === "token" && frame.data.attempt === attempt);
      await worker.kill();
    }
    const last = await d.startWorker();
    await follower.ended;
    expect(follower.view.terminal?.event).toBe("apperror");
    expect((await d.getRun(run.id)).error?.code).toBe("worker_crashed");
    const next = d.follow((await d.startRun(session.id, "[[fake tokens=3]]")).id);
    await next.ended;
    expect(next.view.terminal?.event).toBe("done");
    await last.stop();
  });

  test('kill-nine with recovery "fail": interrupted, partial output kept, the tool not run again', async () => {
    const session = await d.createSession();
    const started = fileAppears(() => join(d.home, "workspace"), "fail-tool");
    const worker = await d.startWorker();
    const input = commandPrompt("echo x >> count-fail; touch fail-tool; sleep 60.3", "tokens=60 pre=5");
    const run = await d.startRun(session.id, input, { recovery: "fail" });
    const follower = d.follow(run.id);
    await started;
    await worker.kill();
    const next = await d.startWorker();
    await follower.ended;
    expect(follower.view.terminal?.event).toBe("interrupted");
    expect(follower.text()).toBe(expectedText(5));
    expect(countOf("count-fail")).toBe(1);
    const messages = await d.messages(session.id);
    expect(messages.map((message) => message.role)).toEqual(["user", "assistant", "tool", "notice"]);
    await next.stop();
  });

  /** Resolves when `name` exists in the folder; the folder appears with the first run. */
  function fileAppears(folder: () => string, name: string): Promise<void> {
    return new Promise((resolve) => {
      const watcher = watch(d.home, { recursive: true }, () => {
        if (!existsSync(join(folder(), name))) return;
        watcher.close();
        resolve();
      });
    });
  }
});
