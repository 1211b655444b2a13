import { expect, test } from "@jest/globals";
import { createMaintenanceView } from "../../api/ops/maintenance.ts";
import { MAINTENANCE, MAINTENANCE_TASKS } from "../../common/contracts/maintenance.ts";

const ROW = {
  ...{ task: "archive", begun_at: 990, last_ok_at: 991, done: 3, last_error_at: null, error: null },
  ...{ ok: 5, failed: 0 },
};

test("a task that has not gone well for three periods and a minute is an alarm, also when nobody ever began it", async () => {
  let now = 1_000;
  let rows = [ROW];
  const view = createMaintenanceView(
    async () => rows,
    () => now,
  );
  const alarms = async () => (await view()).filter(({ alarm }) => alarm).map(({ task }) => task);
  const [archive] = await view();
  expect(archive).toEqual({
    ...{ task: "archive", last_ok_at: 991, done: 3, last_error_at: null, last_error: null },
    ...{ next_at: 990 + MAINTENANCE.archive.everyS, ok: 5, failed: 0, alarm: false },
  });
  expect((await view()).map(({ task }) => task)).toEqual(MAINTENANCE_TASKS);
  expect(await alarms()).toEqual([]);
  now += 3 * MAINTENANCE.archive.everyS + 60;
  expect(await alarms()).toEqual([]);
  now += 1;
  expect(await alarms()).toEqual(["archive"]);
  rows = [{ ...ROW, last_ok_at: now - 1 }];
  expect(await alarms()).toEqual([]);
  now += 4 * 3_600;
  expect(await alarms()).toEqual(MAINTENANCE_TASKS);
});

test("nothing was late while this api was not there: before that perhaps nothing ran", async () => {
  const view = createMaintenanceView(
    async () => [{ ...ROW, last_ok_at: 1 }],
    () => 1_000_000,
  );
  expect((await view()).filter(({ alarm }) => alarm)).toEqual([]);
});
