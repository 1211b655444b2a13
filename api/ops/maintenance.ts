import {
  lateAfterS,
  MAINTENANCE,
  MAINTENANCE_TASKS,
  type MaintenanceRow,
  type MaintenanceTask,
  type OpsMaintenance,
} from "../../common/contracts/maintenance.ts";

/**
 * How maintenance goes, every task of it, begun or not. One that has not gone well for long is an alarm, from the start of this process on at
 * the earliest: before that perhaps nothing was running. It says nothing about readiness: no api serves better when another one
 * takes its place.
 */
export const createMaintenanceView = (
  rows: () => Promise<readonly MaintenanceRow[]>,
  nowS: () => number = () => Date.now() / 1000,
): (() => Promise<OpsMaintenance[]>) => {
  const startedAt = nowS();
  return async () => {
    const known = new Map((await rows()).map((row) => [row.task, row]));
    const now = nowS();
    return MAINTENANCE_TASKS.map((task) => shown(task, known.get(task) ?? NOTHING, startedAt, now));
  };
};

const NOTHING: Omit<MaintenanceRow, "task"> = {
  ...{ begun_at: null, last_ok_at: null, done: null, last_error_at: null, error: null, ok: 0, failed: 0 },
};

const shown = (
  task: MaintenanceTask,
  row: Omit<MaintenanceRow, "task">,
  startedAt: number,
  now: number,
): OpsMaintenance => ({
  task,
  last_ok_at: row.last_ok_at,
  done: row.done,
  last_error_at: row.last_error_at,
  last_error: row.error,
  next_at: row.begun_at === null ? null : row.begun_at + MAINTENANCE[task].everyS,
  ok: row.ok,
  failed: row.failed,
  alarm: now - Math.max(row.last_ok_at ?? 0, startedAt) > lateAfterS(task),
});
