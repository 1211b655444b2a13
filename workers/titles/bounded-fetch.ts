import { EngineError } from "../engines/port.ts";

/** A title's answer with all that surrounds it is a few kilobytes. */
const MAX_BYTES = 1024 * 1024;

/**
 * `fetch` that follows no redirect (a key belongs to the address it was saved for) and gives up on endless answers
 * (security-contract 11).
 */
export const boundedFetch =
  (ask: typeof fetch): typeof fetch =>
  async (input, init) => {
    const response = await ask(input, { ...init, redirect: "manual" });
    if (response.body === null) return response;
    let bytes = 0;
    const limit = new TransformStream<Uint8Array, Uint8Array>({
      transform(chunk, controller) {
        bytes += chunk.length;
        if (bytes <= MAX_BYTES) controller.enqueue(chunk);
        else
          controller.error(
            new EngineError("provider_unavailable", "The model provider's answer has no end."),
          );
      },
    });
    const { status, statusText, headers } = response;
    return new Response(response.body.pipeThrough(limit), { status, statusText, headers });
  };
