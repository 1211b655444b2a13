import type { Redis } from "ioredis";
import { z } from "zod";
import { JOBS, type JobKind } from "./catalog.ts";

const WorkerInfoSchema = z.object({
  name: z.string(),
  pid: z.number(),
  host: z.string(),
  version: z.string(),
  queues: z.array(z.enum(Object.keys(JOBS) as [JobKind, ...JobKind[]])),
  /** Null: every profile. */
  profiles: z.array(z.string()).nullable(),
  concurrency: z.number(),
  running: z.number(),
  /** It takes no more jobs. */
  draining: z.boolean(),
  /** Its profile environments: scopes since its start, and how long the lock was held, in microseconds (profiles P-8). */
  environment: z.object({
    scopes: z.number(),
    openScopes: z.number(),
    p50Us: z.number(),
    p99Us: z.number(),
    maxUs: z.number(),
  }),
  /** When it last got anywhere: an event was appended, a job ended; epoch seconds, null: not yet. */
  last_progress_at: z.number().nullable().default(null),
  /** Since when it has taken no jobs although it should; epoch seconds. */
  stalled_since: z.number().nullable().default(null),
  /** How often it has restarted its connections because of that. */
  restarts: z.number().default(0),
  /** Epoch seconds. */
  started_at: z.number(),
  seen_at: z.number(),
});
/** What a worker says of itself. */
export type WorkerInfo = z.infer<typeof WorkerInfoSchema>;

/** A worker that has said nothing for this long is taken for dead, in seconds. */
export const WORKER_SILENT_S = 10;
/** And is forgotten after this long. */
const FORGET_S = 600;

/** Which workers there are; each says so of itself every few seconds. */
export interface WorkerRegistry {
  put(worker: WorkerInfo): Promise<void>;
  drop(name: string): Promise<void>;
  /** Those that were heard of in the last seconds, by name. Rejects when Redis is away. */
  live(): Promise<readonly WorkerInfo[]>;
}

export const createWorkerRegistry = (
  redis: Redis,
  key: string,
  nowS: () => number = () => Date.now() / 1000,
): WorkerRegistry => ({
  put: async (worker) => {
    await redis.hset(key, worker.name, JSON.stringify(worker));
  },
  drop: async (name) => {
    await redis.hdel(key, name);
  },
  live: async () => {
    const now = nowS();
    const known = Object.entries(await redis.hgetall(key)).map(([name, text]) => [name, read(text)] as const);
    const old = known.filter(([, worker]) => worker === null || worker.seen_at < now - FORGET_S);
    if (old.length > 0) await redis.hdel(key, ...old.map(([name]) => name));
    return known
      .flatMap(([, worker]) => (worker !== null && worker.seen_at >= now - WORKER_SILENT_S ? [worker] : []))
      .sort((a, b) => (a.name < b.name ? -1 : 1));
  },
});

/** Null for what another version of this program wrote and we do not understand. */
const read = (text: string): WorkerInfo | null => {
  try {
    return WorkerInfoSchema.parse(JSON.parse(text));
  } catch {
    return null;
  }
};
