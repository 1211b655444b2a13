import type { Redis } from "ioredis";
import type { OpsJournals } from "../../common/contracts/ops.ts";

/**
 * How much of Redis the journals take, worked out from some of them: asking for all would be a walk over every session. Rejects when
 * Redis cannot be reached.
 */
export const journalFigures = async (
  redis: Pick<Redis, "pipeline">,
  logKey: (sessionId: string) => string,
  { sessions, ids }: { readonly sessions: number; readonly ids: readonly string[] },
): Promise<OpsJournals> => {
  const pipeline = redis.pipeline();
  for (const id of ids) pipeline.memory("USAGE", logKey(id));
  const answers = (await pipeline.exec()) ?? [];
  const bytes = answers.reduce((sum, [error, size]) => {
    if (error !== null) throw error;
    return sum + (typeof size === "number" ? size : 0);
  }, 0);
  return {
    sessions,
    sampled: ids.length,
    bytes: ids.length === 0 ? 0 : Math.round((bytes / ids.length) * sessions),
  };
};
