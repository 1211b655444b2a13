import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { Readable } from "node:stream";

/** What a model server was asked, and with which key. */
export interface Asked {
  readonly method: string;
  readonly path: string;
  readonly key: string | undefined;
  readonly body: string;
}

/** Stands in front of a model server and keeps what it is asked; the key itself goes no further. */
export interface RecordingFront {
  /** OpenAI base URL, ending in `/v1`. */
  readonly url: string;
  /** Oldest first. */
  asked(): readonly Asked[];
  forget(): void;
  close(): Promise<void>;
}

/** `modelUrl` ends in `/v1`. */
export const startRecordingFront = async (modelUrl: string): Promise<RecordingFront> => {
  const base = modelUrl.replace(/\/v1\/?$/, "");
  let asked: Asked[] = [];
  const server = createServer(async (request, response) => {
    let body = "";
    for await (const chunk of request) body += String(chunk);
    const { method = "GET", url: path = "" } = request;
    asked.push({ method, path, key: request.headers.authorization, body });
    const gone = new AbortController();
    response.once("close", () => gone.abort());
    try {
      const answer = await fetch(`${base}${path}`, {
        method,
        headers: { "content-type": "application/json" },
        signal: gone.signal,
        ...(method === "GET" ? {} : { body }),
      });
      response.writeHead(answer.status, { "content-type": answer.headers.get("content-type") ?? "" });
      if (answer.body === null) response.end();
      else
        Readable.fromWeb(answer.body as Parameters<typeof Readable.fromWeb>[0])
          .on("error", () => response.destroy())
          .pipe(response);
    } catch {
      response.destroy(); // whoever asked has gone, or the model server has
    }
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1`,
    asked: () => asked,
    forget: () => {
      asked = [];
    },
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
};
