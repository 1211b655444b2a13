import { type ClientRequest, request } from "node:http";

/** An open event stream. */
export interface EventStream {
  /** Resolves when the server has ended it; rejects when it was refused or cut. */
  readonly ended: Promise<void>;
  close(): void;
}

/**
 * Follows an SSE address and hands each frame over as text, without the blank line behind it; comments too. Parsed by hand
 * and as bytes, because the client shares the machine with what it measures: benchmarks speak ASCII only.
 */
export const followEvents = (
  url: string,
  onFrame: (frame: string) => void,
  headers: Readonly<Record<string, string>> = {},
): EventStream => {
  let closed = false;
  let outgoing: ClientRequest | undefined;
  const ended = new Promise<void>((resolve, reject) => {
    outgoing = request(url, { agent: false, headers }, (response) => {
      if (response.statusCode !== 200) {
        response.resume();
        return reject(new Error(`${url} answered ${response.statusCode}`));
      }
      let rest = "";
      response.setEncoding("latin1");
      response.on("data", (chunk: string) => {
        const text = rest === "" ? chunk : rest + chunk;
        let from = 0;
        for (let to = text.indexOf("\n\n"); to >= 0; to = text.indexOf("\n\n", from)) {
          onFrame(text.slice(from, to));
          from = to + 2;
        }
        rest = from === text.length ? "" : text.slice(from);
      });
      response.on("end", resolve);
      response.on("error", (error) => (closed ? resolve() : reject(error)));
      response.on("close", () => resolve());
    });
    outgoing.on("error", (error) => (closed ? resolve() : reject(error)));
    outgoing.end();
  });
  return {
    ended,
    close: () => {
      closed = true;
      outgoing?.destroy();
    },
  };
};

/** The `event` of a frame; "" for comments. */
export const eventOf = (frame: string): string => {
  const at = frame.startsWith("event: ") ? 0 : frame.indexOf("\nevent: ") + 1;
  if (at === 0 && !frame.startsWith("event: ")) return "";
  return frame.slice(at + 7, frame.indexOf("\n", at));
};

/** The `text` of a token frame; benchmark tokens hold nothing that JSON would escape. */
export const textOf = (frame: string): string => {
  const at = frame.indexOf('"text":"');
  return at < 0 ? "" : frame.slice(at + 8, frame.indexOf('"', at + 8));
};
