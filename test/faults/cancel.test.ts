import { execFileSync } from "node:child_process";
import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import type { Run } from "../../common/contracts/run.ts";
import { type Deployment, startDeployment } from "../helpers/deployment.ts";
import type { TestProcess } from "../helpers/process.ts";
import { eventually } from "../helpers/wait.ts";
import { commandPrompt } from "../helpers/whole.ts";

/** cancel-approve-steer, section 2; reliability 9. */
describe("stopping a run", () => {
  let d: Deployment;
  let worker: TestProcess;
  beforeAll(async () => {
    d = await startDeployment();
    worker = await d.startWorker();
  });
  afterAll(() => d.close());

  const cancel = (runId: string) => d.request<{ run: Run }>("POST", `/api/runs/${runId}/cancel`);
  const settled = async (run: Run) => {
    const follower = d.follow(run.id);
    await follower.ended;
    return { follower, run: await d.getRun(run.id), messages: await d.messages(run.session_id) };
  };
  const isFree = async (sessionId: string): Promise<void> => {
    const next = await settled(await d.startRun(sessionId, "[[fake tokens=2]]"));
    expect(next.run.status).toBe("completed");
  };

  test("stop-queued-run: no worker, no model call, message and marker in the transcript, the session is free", async () => {
    await worker.stop();
    const session = await d.createSession();
    const run = await d.startRun(session.id, "never runs");
    const before = d.model.stats().requests;
    const answer = await cancel(run.id);
    expect([answer.status, answer.body.run.status]).toEqual([202, "cancelled"]);
    const { follower, messages } = await settled(run);
    expect(follower.frames.map((frame) => frame.event)).toEqual(["run_queued", "cancel", "stream_end"]);
    expect(messages.map((message) => message.role)).toEqual(["user", "notice"]);
    expect(messages[1]?.content).toMatch(/before start/);
    worker = await d.startWorker();
    await isFree(session.id);
    expect(d.model.stats().requests - before).toBe(1);
  });

  test("stop-in-first-100-ms: every trial ends cancelled or completed, the message is there, the session is free", async () => {
    const trials = [0, 5, 20, 50, 100].flatMap((ms) => Array.from({ length: 6 }, () => ms));
    await Promise.all(
      trials.map(async (ms) => {
        const session = await d.createSession();
        const run = await d.startRun(session.id, "[[fake tokens=10 rate=60]]");
        await new Promise((resolve) => setTimeout(resolve, ms));
        const answer = await cancel(run.id);
        const end = await settled(run);
        expect(["cancelled", "completed"]).toContain(end.run.status);
        if (answer.status === 202) expect(end.run.status).toBe("cancelled");
        expect(end.follower.view.terminal?.event).toBe(end.run.status === "cancelled" ? "cancel" : "done");
        expect(end.messages.filter((message) => message.role === "user")).toHaveLength(1);
        expect(end.messages.filter((message) => message.role === "notice")).toHaveLength(
          end.run.status === "cancelled" ? 1 : 0,
        );
        await isFree(session.id);
      }),
    );
  });

  test("stop-keeps-everything: text, reasoning and tools of before the stop are in transcript and events", async () => {
    const session = await d.createSession();
    const input = commandPrompt("echo done", "pre=5 reason=20 tokens=400 rate=50");
    const run = await d.startRun(session.id, input);
    const follower = d.follow(run.id);
    await follower.until((frame) => frame.event === "token" && frame.data.step === 2);
    await cancel(run.id);
    const end = await settled(run);
    expect(end.run.status).toBe("cancelled");
    expect(end.messages.map((message) => message.role)).toEqual([
      "user",
      "assistant",
      "tool",
      "assistant",
      "notice",
    ]);
    const shown = end.messages.filter((m) => m.role === "assistant");
    expect(shown.map((message) => message.content).join("")).toBe(end.follower.text());
    expect(shown[1]?.status).toBe("cancelled");
    expect(shown.every((message) => (message.reasoning?.length ?? 0) > 0)).toBe(true);
    expect(end.messages[2]?.content).toMatch(/done/);
  });

  test("stop-during-sleep: both processes are gone, the tool is shown as stopped", async () => {
    const session = await d.createSession();
    const run = await d.startRun(session.id, commandPrompt("sleep 613.7 & sleep 613.7", "tokens=5"));
    const follower = d.follow(run.id);
    await follower.until((frame) => frame.event === "tool");
    const since = performance.now();
    await cancel(run.id);
    const end = await settled(run);
    expect(performance.now() - since).toBeLessThan(5_000);
    expect(end.run.status).toBe("cancelled");
    expect(end.follower.frames.find((frame) => frame.event === "tool_complete")?.data).toMatchObject({
      outcome: "stopped",
      is_error: true,
    });
    expect(end.messages.map((message) => message.role)).toEqual(["user", "assistant", "tool", "notice"]);
    const listed = (): boolean => execFileSync("ps", ["-eo", "args"]).toString().includes("sleep 613.7");
    await eventually("both are gone", () => !listed(), 10_000);
    await isFree(session.id);
  });

  test("stop-twice, stop-after-done: one marker, one event; after the end nothing changes", async () => {
    const session = await d.createSession();
    const run = await d.startRun(session.id, "[[fake tokens=400 rate=50]]");
    const follower = d.follow(run.id);
    await follower.until((frame) => frame.event === "token");
    const [one, two] = await Promise.all([cancel(run.id), cancel(run.id)]);
    expect([one.status, two.status].sort().at(-1)).toBe(202);
    const end = await settled(run);
    expect(end.messages.filter((message) => message.role === "notice")).toHaveLength(1);
    expect(end.follower.frames.filter((frame) => frame.event === "cancel")).toHaveLength(1);
    const late = await cancel(run.id);
    expect([late.status, late.body.run.status]).toEqual([200, "cancelled"]);
    expect(await d.messages(session.id)).toEqual(end.messages);

    const done = await settled(await d.startRun(session.id, "[[fake tokens=2]]"));
    expect((await cancel(done.run.id)).status).toBe(200);
    expect((await d.getRun(done.run.id)).status).toBe("completed");
  });

  test("stop-races-done: event, transcript and answer agree in every trial", async () => {
    await Promise.all(
      Array.from({ length: 60 }, async (_, i) => {
        const session = await d.createSession();
        const run = await d.startRun(session.id, "[[fake tokens=4 rate=400]]");
        const follower = d.follow(run.id);
        await follower.until((frame) => frame.event === "token");
        await new Promise((resolve) => setTimeout(resolve, i % 15));
        const answer = await cancel(run.id);
        const end = await settled(run);
        expect(end.run.status).toBe(answer.status === 202 ? "cancelled" : "completed");
        expect(end.follower.view.terminal?.event).toBe(answer.status === 202 ? "cancel" : "done");
        expect(end.messages.some((message) => message.role === "notice")).toBe(answer.status === 202);
      }),
    );
  });

  test("cancel-names-assistant, cancel-blank-name, cancel-name-markup", async () => {
    const nameIn = async (botName: string | null): Promise<string> => {
      await d.request("PATCH", "/api/settings", { bot_name: botName });
      const session = await d.createSession();
      const run = await d.startRun(session.id, "[[fake tokens=400 rate=50]]");
      const follower = d.follow(run.id);
      await follower.until((frame) => frame.event === "token");
      await cancel(run.id);
      const end = await settled(run);
      return end.messages.at(-1)?.content ?? "";
    };
    expect(await nameIn("  Obryn ")).toContain("before Obryn finished");
    expect(await nameIn("   ")).toContain("before Hermes finished");
    const markup = await nameIn("*a* <b>\nc");
    expect(markup).toContain("\\*a\\* \\<b\\> c");
    expect(markup).not.toContain("\n");
    await d.request("PATCH", "/api/settings", { bot_name: null });
    expect((await d.request("GET", "/api/settings")).body).toEqual({ bot_name: "Hermes" });
  });

  test("continue-after-stop: the model sees the partial once, never the marker", async () => {
    const session = await d.createSession();
    const run = await d.startRun(session.id, "[[fake tokens=400 rate=50]]");
    const follower = d.follow(run.id);
    await follower.until(() => follower.text().length > 40);
    await cancel(run.id);
    const end = await settled(run);
    await settled(await d.startRun(session.id, "go on [[fake tokens=2]]"));
    const sent = (d.model.requests().at(-1) as { messages: { role: string; content: string }[] }).messages;
    expect(sent.map((message) => message.role)).toEqual(["user", "assistant", "user"]);
    expect(sent[1]?.content).toBe(end.follower.text());
    expect(JSON.stringify(sent)).not.toMatch(/cancelled/i);
  });

  test("late-stop: a stop for an ended run does nothing to the next one", async () => {
    const session = await d.createSession();
    const first = await settled(await d.startRun(session.id, "[[fake tokens=2]]"));
    const second = await d.startRun(session.id, "[[fake tokens=20 rate=40]]");
    expect((await cancel(first.run.id)).status).toBe(200);
    expect((await settled(second)).run.status).toBe("completed");
  });
});
