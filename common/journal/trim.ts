/** A run of the stream, as trimming sees it. `trimmable`: archived, and its end is old enough. */
export interface TrimRun {
  readonly runId: string;
  readonly firstSeq: number;
  readonly lastSeq: number;
  readonly trimmable: boolean;
}

/**
 * Where to cut the front of a log so that every run stands wholly before or wholly after the cut, and only trimmable ones
 * before it. `before` is the first seq to keep; null when nothing can go.
 */
export const trimPoint = (
  runs: readonly TrimRun[],
): { readonly before: number; readonly runIds: readonly string[] } | null => {
  let before = Number.POSITIVE_INFINITY;
  for (const run of runs) if (!run.trimmable) before = Math.min(before, run.firstSeq);
  // A run across the cut stays, and so does everything from its first entry on.
  for (let moved = true; moved; ) {
    moved = false;
    for (const run of runs) {
      if (run.firstSeq < before && run.lastSeq >= before) {
        before = run.firstSeq;
        moved = true;
      }
    }
  }
  const gone = runs.filter(({ lastSeq }) => lastSeq < before);
  if (gone.length === 0) return null;
  return {
    before: Number.isFinite(before) ? before : Math.max(...gone.map(({ lastSeq }) => lastSeq)) + 1,
    runIds: gone.map(({ runId }) => runId),
  };
};
