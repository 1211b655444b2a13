import { afterAll, beforeAll, expect, test } from "@jest/globals";
import type { DeadLetter } from "../../common/contracts/ops.ts";
import type { Run } from "../../common/contracts/run.ts";
import { expectedText } from "../../workers/engines/demo/words.ts";
import { type Deployment, startDeployment } from "../helpers/deployment.ts";
import { eventually } from "../helpers/wait.ts";
import { expectWhole } from "../helpers/whole.ts";

/** A run that was given up because its workers died is asked for again (issue "dead letters with requeue"). */
let d: Deployment;
beforeAll(async () => {
  d = await startDeployment({ TALARIA_MAX_ATTEMPTS: "1" });
});
afterAll(() => d.close());

test("a run whose workers died is a dead letter; asked for again its message is answered, whole and once", async () => {
  const session = await d.createSession();
  const old = await d.startRun(session.id, "[[fake tokens=100 rate=20]]");
  const before = d.follow(old.id);
  const doomed = await d.startWorker();
  await before.until(() => before.text().length > 60);
  await doomed.kill();
  await d.startWorker();
  await before.ended;
  expect(before.view.terminal?.event).toBe("apperror");

  const letter = await eventually("the dead letter", async () =>
    (await d.request<{ data: DeadLetter[] }>("GET", "/api/ops/dead-letters")).body.data.at(0),
  );
  expect(letter).toMatchObject({ id: old.id, code: "worker_crashed", attempt: 2 });
  const again = await d.request<{ run: Run }>("POST", `/api/ops/runs/${old.id}/requeue`, {});
  expect(again.status).toBe(202);
  await expectWhole(d, again.body.run, d.follow(again.body.run.id), expectedText(100));

  // The old run has the one end that it had, and nothing of it is left in the conversation.
  const replay = d.follow(old.id);
  await replay.ended;
  expect(
    replay.frames.filter(({ event }) => ["done", "apperror"].includes(event)).map(({ event }) => event),
  ).toEqual(["apperror"]);
  expect((await d.messages(session.id)).some(({ run_id }) => run_id === old.id)).toBe(false);
  expect((await d.request<{ data: DeadLetter[] }>("GET", "/api/ops/dead-letters")).body.data).toEqual([]);
});
