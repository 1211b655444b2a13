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

/** Where workers, which serve no HTTP, leave their figures for whoever is asked for them. */
export interface FiguresBoard {
  put(figures: ProcessFigures): Promise<void>;
  /** Those of the last minute, by process. Rejects when Redis is away. */
  all(): Promise<readonly ProcessFigures[]>;
}

const WordSchema = z.object({ at: z.number(), families: z.array(FamilySchema) });

/** `key` is a hash: process -> its last word. */
export const createFiguresBoard = (
  redis: Redis,
  key: string,
  nowS: () => number = () => Date.now() / 1000,
): FiguresBoard => ({
  put: async ({ process, families }) => {
    await redis.hset(key, process, JSON.stringify({ at: nowS(), families }));
  },
  all: async () => {
    const now = nowS();
    const known = Object.entries(await redis.hgetall(key)).map(([process, text]) => ({
      process,
      word: read(text),
    }));
    const old = known.filter(({ word }) => word === null || word.at < now - SHOWN_S);
    if (old.length > 0) await redis.hdel(key, ...old.map(({ process }) => process));
    return known
      .flatMap(({ process, word }) =>
        word === null || word.at < now - SHOWN_S ? [] : [{ process, families: word.families }],
      )
      .sort((a, b) => (a.process < b.process ? -1 : 1));
  },
});

/** Null for what another version wrote and we do not understand. */
const read = (text: string): z.infer<typeof WordSchema> | null => {
  try {
    return WordSchema.parse(JSON.parse(text));
  } catch {
    return null;
  }
};
