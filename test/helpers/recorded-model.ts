import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { Readable } from "node:stream";

export interface Asked {
  readonly method: string;
  readonly path: string;
  readonly authorization: string | undefined;
  readonly body: string;
}

/** A model server on a port of its own that notes what it is asked, with which key, and lets another one answer. */
export interface RecordedModel {
  /** OpenAI base URL, ending in `/v1`. */
  readonly url: string;
  /** Everything so far, oldest first. */
  readonly asked: readonly Asked[];
  forget(): void;
  close(): Promise<void>;
}

/** `answering`: the model server behind it. The caller closes it. */
export const startRecordedModel = async (answering: { readonly url: string }): Promise<RecordedModel> => {
  let asked: Asked[] = [];
  const base = answering.url.replace(/\/v1\/?$/, "");
  const server = createServer(async (request, response) => {
    let body = "";
    for await (const chunk of request) body += String(chunk);
    const { method = "", url: path = "" } = request;
    asked.push({ method, path, authorization: request.headers.authorization, body });
    const headers = { "content-type": "application/json" };
    const gone = new AbortController();
    response.once("close", () => gone.abort());
    try {
      const content = body === "" ? {} : { headers, body };
      const answer = await fetch(`${base}${path}`, { method, signal: gone.signal, ...content });
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
    get asked() {
      return asked;
    },
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
