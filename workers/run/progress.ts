import type { Journal } from "../../common/journal/port.ts";

/** When this worker last got anywhere. */
export interface Progress {
  /** Epoch seconds; null: not yet. */
  readonly at: number | null;
  mark(): void;
  /** The same journal; each batch that it takes is progress. What is recorded of a run is journaled right behind. */
  over(journal: Journal): Journal;
}

export const createProgress = (nowS: () => number = () => Date.now() / 1000): Progress => {
  let at: number | null = null;
  const mark = (): void => {
    at = nowS();
  };
  return {
    get at() {
      return at;
    },
    mark,
    over: (journal) => ({
      ...journal,
      append: async (writer, batch, entries, final) => {
        const result = await journal.append(writer, batch, entries, final);
        if (result.status === "ok") mark();
        return result;
      },
    }),
  };
};
