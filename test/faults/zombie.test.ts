import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import { expectedText } from "../../workers/engines/demo/words.ts";
import { type Deployment, startDeployment } from "../helpers/deployment.ts";
import { expectWhole } from "../helpers/whole.ts";

describe("a worker that was only stopped", () => {
  let d: Deployment;
  beforeAll(async () => {
    d = await startDeployment();
  });
  afterAll(() => d.close());

  test("zombie-writer-refused, obsolete-finaliser: what it says and commits after the take-over changes nothing", async () => {
    const session = await d.createSession();
    const zombie = await d.startWorker();
    const run = await d.startRun(session.id, "[[fake tokens=60 rate=40]]");
    const follower = d.follow(run.id);
    await follower.until(() => follower.text().length > 60);
    zombie.signal("SIGSTOP");
    const heir = await d.startWorker();
    await expectWhole(d, run, follower, expectedText(60));
    const before = await d.messages(session.id);
    const head = (await d.request("GET", `/api/sessions/${session.id}/head`)).body;

    zombie.signal("SIGCONT");
    await zombie.says("this attempt stops");
    expect(await d.messages(session.id)).toEqual(before);
    expect((await d.request("GET", `/api/sessions/${session.id}/head`)).body).toEqual(head);
    const replay = d.follow(run.id);
    await replay.ended;
    expect(replay.text()).toBe(expectedText(60));
    await heir.stop();

    // The woken worker is a worker again.
    await expectWhole(d, run, follower, expectedText(60));
    await zombie.stop();
  });

  test("zombie-writer-refused, mid-second-attempt: the heir goes on undisturbed", async () => {
    const session = await d.createSession();
    const zombie = await d.startWorker();
    const run = await d.startRun(session.id, "[[fake tokens=150 rate=30]]");
    const follower = d.follow(run.id);
    await follower.until(() => follower.text().length > 60);
    zombie.signal("SIGSTOP");
    const heir = await d.startWorker();
    await follower.until((frame) => frame.event === "token" && frame.data.attempt === 2);
    zombie.signal("SIGCONT");
    await zombie.says("this attempt stops");
    await expectWhole(d, run, follower, expectedText(150));
    const starts = follower.frames.filter((frame) => frame.event === "run_started");
    expect(starts.map((frame) => frame.data.attempt)).toEqual([1, 2]);
    await heir.stop();
    await zombie.stop();
  });

  test("cancel, hung worker: settled without it within ten seconds", async () => {
    const session = await d.createSession();
    const worker = await d.startWorker();
    const run = await d.startRun(session.id, "[[fake tokens=600 rate=40]]");
    const follower = d.follow(run.id);
    await follower.until(() => follower.text().length > 60);
    worker.signal("SIGSTOP");
    const since = performance.now();
    expect((await d.request("POST", `/api/runs/${run.id}/cancel`)).status).toBe(202);
    await follower.ended;
    expect(performance.now() - since).toBeLessThan(10_500);
    expect(follower.view.terminal?.event).toBe("cancel");
    const [, partial, notice] = await d.messages(session.id);
    expect(partial?.content).toBe(follower.text());
    expect(notice?.role).toBe("notice");
    worker.signal("SIGCONT");
    await worker.says("this attempt stops");
    expect((await d.getRun(run.id)).status).toBe("cancelled");
    await worker.stop();
  });
});
