/** More than this is no answer of a tool. */
const MAX_ANSWER_BYTES = 8 * 1024 * 1024;

/**
 * `fetch` whose answers end with an error when they are too large: as a whole, or in an event stream, which may go on for as
 * long as it likes, between two blank lines.
 */
export const boundedFetch = async (url: string | URL, init?: RequestInit): Promise<Response> => {
  const response = await fetch(url, init);
  if (response.body === null) return response;
  const endless = response.headers.get("content-type")?.startsWith("text/event-stream") === true;
  let bytes = 0;
  const bounded = response.body.pipeThrough(
    new TransformStream<Uint8Array, Uint8Array>({
      transform: (chunk, controller) => {
        const end = endless ? lastBlankLine(chunk) : -1;
        bytes = end < 0 ? bytes + chunk.length : chunk.length - end;
        if (bytes > MAX_ANSWER_BYTES) controller.error(new Error("the answer is too large"));
        else controller.enqueue(chunk);
      },
    }),
  );
  const { status, statusText, headers } = response;
  return new Response(bounded, { status, statusText, headers });
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
