import { z } from "zod";

/**
 * What is done again and again for the deployment as a whole, each a job of its own (background-jobs "Maintenance"). `everyS`: how
 * often; `deadlineS`: longer than this it has failed. Both in seconds.
 */
export const MAINTENANCE = {
  /** The events of ended runs, from the journal into the archive. */
  archive: { everyS: 15, deadlineS: 60 },
  /** Archived runs leave the journal when their time in Redis is over. */
  trim: { everyS: 60, deadlineS: 60 },
  /** Runs whose worker is gone and that nobody took over. */
  interrupted: { everyS: 30, deadlineS: 60 },
  /** Idempotency keys, ended jobs and processes, and logins whose time is over. */
  expire: { everyS: 600, deadlineS: 60 },
  /** What interrupted deletions and edits left in Redis and in folders. */
  leftovers: { everyS: 3_600, deadlineS: 120 },
  /** SQLite's own upkeep of talaria.db and search.db. */
  databases: { everyS: 3_600, deadlineS: 120 },
} as const;
export type MaintenanceTask = keyof typeof MAINTENANCE;
export const MAINTENANCE_TASKS = Object.keys(MAINTENANCE) as readonly MaintenanceTask[];

export const isMaintenanceTask = (name: string): name is MaintenanceTask => Object.hasOwn(MAINTENANCE, name);

/** A task that has not gone well for three of its periods, and a minute, is late. */
export const lateAfterS = (task: MaintenanceTask): number => 3 * MAINTENANCE[task].everyS + 60;

/** What the database knows of a task; times in epoch seconds. */
export interface MaintenanceRow {
  readonly task: string;
  readonly begun_at: number | null;
  readonly last_ok_at: number | null;
  readonly done: number | null;
  readonly last_error_at: number | null;
  readonly error: string | null;
  readonly ok: number;
  readonly failed: number;
}

export const OpsMaintenanceSchema = z
  .strictObject({
    task: z.string(),
    last_ok_at: z.number().nullable().describe("when it last went well, epoch seconds; null: never"),
    done: z.number().int().nonnegative().nullable().describe("how many things it did then"),
    last_error_at: z.number().nullable(),
    last_error: z
      .string()
      .nullable()
      .describe("a code; the worker's log says more. null: the last one went well"),
    next_at: z.number().nullable().describe("when the next one is due, about; null: nobody has begun it"),
    ok: z.number().int().nonnegative().describe("how often it went well"),
    failed: z.number().int().nonnegative(),
    alarm: z.boolean().describe("it has not gone well for three of its periods"),
  })
  .meta({ id: "OpsMaintenance" });
export type OpsMaintenance = z.infer<typeof OpsMaintenanceSchema>;
