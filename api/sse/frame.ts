import { FRAME_EVENTS } from "../../common/contracts/events.ts";

/** One SSE frame before it is text. */
export interface Frame {
  /** One of `FRAME_EVENTS`. */
  readonly event: string;
  /** null: the frame moves no cursor. */
  readonly id: string | null;
  /** Text of one JSON object. */
  readonly data: string;
}

/**
 * The only writer of frames (security-contract 8). Refuses unknown names and ids that are not cursors; data becomes one
 * line, so nothing that a model, a tool or a file says can start a frame of its own.
 */
export const frameText = ({ event, id, data }: Frame): string => {
  if (!FRAME_EVENTS.has(event)) throw new Error("unknown event name for a frame");
  if (id !== null && !CURSOR.test(id)) throw new Error("a frame's id is not a cursor");
  const line = data.includes("\n") || data.includes("\r") ? JSON.stringify(JSON.parse(data)) : data;
  return id === null ? `event: ${event}\ndata: ${line}\n\n` : `id: ${id}\nevent: ${event}\ndata: ${line}\n\n`;
};

const CURSOR = /^[A-Za-z0-9_:-]{1,128}$/;

/** How long a browser waits before it comes back, and a first comment that tells proxies the stream is alive. */
export const PREAMBLE = "retry: 2000\n\n:\n\n";
/** A comment: no id, no event, nothing a client could count. */
export const HEARTBEAT = ":\n\n";
