import { Agent, type IncomingHttpHeaders, request } from "node:http";

export interface Answer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

/** Asks over connections that are kept, as a browser does, and reads whole answers. */
export interface HttpClient {
  get(path: string, headers?: Readonly<Record<string, string>>): Promise<Answer>;
  close(): void;
}

export const createHttpClient = (url: string): HttpClient => {
  const agent = new Agent({ keepAlive: true });
  return {
    get: (path, headers = {}) =>
      new Promise((resolve, reject) => {
        const outgoing = request(`${url}${path}`, { agent, headers }, (response) => {
          const chunks: Buffer[] = [];
          response.on("data", (chunk: Buffer) => chunks.push(chunk));
          response.on("end", () => {
            const status = response.statusCode ?? 0;
            const body = Buffer.concat(chunks).toString();
            if (status >= 400) reject(new Error(`GET ${path} answered ${status}: ${body}`));
            else resolve({ status, headers: response.headers, body });
          });
        });
        outgoing.on("error", reject);
        outgoing.end();
      }),
    close: () => agent.destroy(),
  };
};
