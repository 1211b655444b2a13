import { createParser } from "eventsource-parser";
import { type Frame, parseFrame } from "../model/frame.ts";

/**
 * Turns bytes into frames. Bytes may be cut anywhere, inside a character too; a frame is given out when its blank line
 * has arrived, and what was cut off before that is as if it had never come (run-events 10.4). One reader per connection.
 */
export const createFrameReader = (onFrame: (frame: Frame) => void): ((bytes: Uint8Array) => void) => {
  const decoder = new TextDecoder();
  const parser = createParser({
    onEvent: ({ id, event, data }) => {
      const frame = parseFrame(id, event, data);
      if (frame !== null) onFrame(frame);
    },
  });
  return (bytes) => parser.feed(decoder.decode(bytes, { stream: true }));
};
