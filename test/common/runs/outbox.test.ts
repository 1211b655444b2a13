import { expect, test } from "@jest/globals";
import Database from "better-sqlite3";
import { createOutboxOps } from "../../../common/runs/outbox-ops.ts";
import { migrate } from "../../../common/sqlite/migrate.ts";

test("a row that is armed and taken within a millisecond stays when what stood there before was told", () => {
  const db = new Database(":memory:");
  migrate(db, new URL("../../../common/talaria-db/migrations/", import.meta.url));
  let now = 1_000;
  const ops = createOutboxOps(db, () => now);
  const first = ops.putOutbox("job", "ses_1", "job_1");
  const again = ops.putOutbox("job", "ses_1", "job_1");
  ops.outboxDone([first]);
  ops.outboxRetry(again, -1);
  now += 0.001;
  const taken = ops.takeOutbox(10);
  expect(taken).toMatchObject([{ id: first.id }]);
  ops.outboxDone([again]);
  ops.outboxRetry(again, 3_600);
  now += 60;
  expect(ops.takeOutbox(10)).toMatchObject([{ id: first.id }]);
  db.close();
});
