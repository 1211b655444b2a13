import type { Frame } from "../model/frame.ts";

/**
 * Gathers frames between two paints, so that a fast model costs one drawing per paint and not one per token. Cursor and
 * view still move together: what waits here is in neither.
 */
export const createFrameQueue = (deps: {
  readonly schedule: (work: () => void) => void;
  readonly apply: (sessionId: string | null, frames: readonly Frame[]) => void;
}) => {
  let waiting: { sessionId: string | null; frame: Frame }[] = [];
  let scheduled = false;

  const flush = (): void => {
    scheduled = false;
    const batch = waiting;
    waiting = [];
    for (let start = 0; start < batch.length; ) {
      const sessionId = batch[start]?.sessionId ?? null;
      let end = start;
      while (end < batch.length && (batch[end]?.sessionId ?? null) === sessionId) end += 1;
      deps.apply(
        sessionId,
        batch.slice(start, end).map((entry) => entry.frame),
      );
      start = end;
    }
  };

  return {
    push(sessionId: string | null, frame: Frame): void {
      waiting.push({ sessionId, frame });
      if (scheduled) return;
      scheduled = true;
      deps.schedule(() => {
        if (scheduled) flush();
      });
    },
    flush,
  };
};
