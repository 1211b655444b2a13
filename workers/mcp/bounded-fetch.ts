import { boundedResponse } from "../../common/base/bounded-response.ts";

/** More than this is no answer of a tool. */
const MAX_ANSWER_BYTES = 8 * 1024 * 1024;

/**
 * `fetch` whose answers end with an error when they are too large: as a whole, or in an event stream, which may go on for as
 * long as it likes, between two blank lines.
 */
export const boundedFetch = async (url: string | URL, init?: RequestInit): Promise<Response> => {
  const response = await fetch(url, init);
  const endless = response.headers.get("content-type")?.startsWith("text/event-stream") === true;
  return boundedResponse(response, MAX_ANSWER_BYTES, endless ? lastBlankLine : undefined);
};

const LF = 0x0a;
const CR = 0x0d;

/** Where the last event in a piece ends; -1: none does. One that ends between two pieces is noticed with the next. */
const lastBlankLine = (bytes: Uint8Array): number => {
  for (let at = bytes.lastIndexOf(LF); at > 0; at = bytes.lastIndexOf(LF, at - 1)) {
    const before = bytes[at - 1] === CR ? at - 2 : at - 1;
    if (bytes[before] === LF || (before >= 0 && bytes[before] === CR)) return at + 1;
  }
  return -1;
};
