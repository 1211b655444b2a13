import type { Pass, Passed, Task } from "../../../workers/maintenance/task.ts";

/** One pass of a task, from `mark` on. */
export const pass = (task: Task, mark: number | null = null, more: Partial<Pass> = {}): Promise<Passed> =>
  task({ mark, signal: new AbortController().signal, isOver: () => false, ...more });
