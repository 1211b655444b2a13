import type { RunEvent } from "../../common/contracts/events.ts";

/** The events of a compression in the course of a run (run-events 2.4). */
export const compressingEvent = (sessionId: string): RunEvent => ({
  event: "compressing",
  payload: { session_id: sessionId, message: "The context is being compressed." },
});

export const compressedEvent = (
  sessionId: string,
  made: { readonly version: number; readonly tokensBefore: number; readonly tokensAfter: number },
): RunEvent => ({
  event: "compressed",
  payload: {
    ...{ session_id: sessionId, message: "The context was compressed.", version: made.version },
    usage: { tokens_before: made.tokensBefore, tokens_after: made.tokensAfter },
  },
});
