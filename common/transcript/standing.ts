import { isSameStanding } from "../sessions/place-ops.ts";
import type { Async } from "../sqlite/client.ts";
import type { ReadOps } from "../talaria-db/module.ts";
import type { Sight } from "./sight.ts";

/** Whether messages of the session came to stand elsewhere since it was looked at, or it is gone. */
export const createIsMovedSince =
  (read: Pick<Async<ReadOps>, "standing">) =>
  async ({ row }: Pick<Sight, "row">): Promise<boolean> =>
    !isSameStanding(await read.standing(row.id), row);

/** Tries while messages come to stand elsewhere. */
const TRIES = 20;

/**
 * Does work that goes by the places of a session's messages again where it threw and messages came to stand elsewhere beside it:
 * what it threw may come from that alone. The work may change something as its last step only.
 */
export const createWhereStanding =
  (read: Pick<Async<ReadOps>, "standing">) =>
  async <T>(sessionId: string, work: () => Promise<T>): Promise<T> => {
    for (let tries = 1; ; tries++) {
      const standing = await read.standing(sessionId);
      try {
        return await work();
      } catch (error) {
        const isMoved = standing !== null && !isSameStanding(await read.standing(sessionId), standing);
        if (!isMoved || tries === TRIES) throw error;
      }
    }
  };
