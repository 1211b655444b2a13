import type { Redis } from "ioredis";
import { z } from "zod";
import { type Family, FamilySchema } from "./figures.ts";

/** The figures of one process. */
export interface ProcessFigures {
  /** Unique per start, so that its counters only rise. */
  readonly process: string;
  readonly families: readonly Family[];
}

/** Figures of a process that has ended are shown for this long, so that the last ones are scraped, too; in seconds. */
export const SHOWN_S = 60;

/** How long what is left there outlives the last worker, in seconds. */
const KEPT_S = 600;

/** Where workers, which serve no HTTP, leave their figures for whoever is asked for them. */
export interface FiguresBoard {
  put(figures: ProcessFigures): Promise<void>;
  /** Removes what ended processes have left, also where nobody asks for figures. */
  forgetOld(): Promise<void>;
  /** Those of the last minute, by process. Rejects when Redis is away. */
  all(): Promise<readonly ProcessFigures[]>;
}

const WordSchema = z.object({ at: z.number(), families: z.array(FamilySchema) });

/** `key` is a hash: process -> its last word. */
export const createFiguresBoard = (
  redis: Redis,
  key: string,
  nowS: () => number = () => Date.now() / 1000,
): FiguresBoard => {
  const shown = async (): Promise<ProcessFigures[]> => {
    const since = nowS() - SHOWN_S;
    const old: string[] = [];
    const figures: ProcessFigures[] = [];
    for (const [process, text] of Object.entries(await redis.hgetall(key))) {
      const word = read(text);
      if (word === null || word.at < since) old.push(process);
      else figures.push({ process, families: word.families });
    }
    if (old.length > 0) await redis.hdel(key, ...old);
    return figures.sort((a, b) => (a.process < b.process ? -1 : 1));
  };
  return {
    put: async ({ process, families }) => {
      await redis.hset(key, process, JSON.stringify({ at: nowS(), families }));
      // Goes as a whole when no worker is left that says anything.
      await redis.expire(key, KEPT_S);
    },
    forgetOld: async () => void (await shown()),
    all: shown,
  };
};

/** Null for what another version wrote and we do not understand. */
const read = (text: string): z.infer<typeof WordSchema> | null => {
  try {
    return WordSchema.parse(JSON.parse(text));
  } catch {
    return null;
  }
};
