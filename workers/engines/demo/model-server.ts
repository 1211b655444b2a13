import http, { type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { type Answer, type ServerStats, sendStream, sendWhole } from "./answer-stream.ts";
import { type ChatRequest, lastUserText, readChatRequest } from "./chat-request.ts";
import { DEFAULT_DIRECTIVES, type Directives, directiveTexts, readDirectives } from "./directives.ts";
import { createPacer } from "./pacing.ts";
import { planAnswer, type Script } from "./plan.ts";

export interface ModelServerOptions {
  readonly defaults?: Partial<Directives>;
  /** Content in place of random words; asked only when the request carries no directives. */
  readonly script?: (request: ChatRequest) => Script | null;
  /** Called with each chat request before it is answered. */
  readonly observe?: (request: ObservedRequest) => void;
  /** False: no `/stats`, `/requests`, `/reset`, and no request body is kept. Default true. */
  readonly inspect?: boolean;
}

/** A request as it came, and the `Authorization` it came with. */
export interface ObservedRequest {
  readonly body: unknown;
  readonly authorization: string | undefined;
}

export interface ModelServer {
  readonly port: number;
  /** OpenAI base URL, ending in `/v1`. */
  readonly url: string;
  stats(): Readonly<ServerStats>;
  /** The last 100 request bodies, oldest first. */
  requests(): readonly unknown[];
  /** Forgets `times` counts, counters and requests. */
  reset(): void;
  /** Ends every connection. */
  close(): Promise<void>;
}

const KEPT_REQUESTS = 100;
const MAX_BODY_BYTES = 64 * 1024 * 1024;

/**
 * A scripted, deterministic model server: the Chat Completions protocol, streaming and not, on plain node:http. It never
 * thinks; what it answers is scripted by the request (directives.ts) or by `script`. It serves tests, load runs and
 * the demo model.
 */
export const createModelServer = (options: ModelServerOptions = {}) => ({
  /** Rejects when the address cannot be bound. Port 0: any free one. */
  async listen(port = 0, host = "127.0.0.1"): Promise<ModelServer> {
    const handler = createHandler(options);
    const server = http.createServer(handler.handle);
    server.on("connection", (socket) => socket.setNoDelay(true));
    server.keepAliveTimeout = 60_000;
    server.requestTimeout = 0;
    await new Promise<void>((resolve, reject) => {
      server.once("error", reject);
      server.listen({ port, host, backlog: 4096 }, resolve);
    });
    const bound = (server.address() as AddressInfo).port;
    return {
      port: bound,
      url: `http://${host.includes(":") ? `[${host}]` : host}:${bound}/v1`,
      stats: handler.stats,
      requests: handler.requests,
      reset: handler.reset,
      close: () =>
        new Promise((resolve) => {
          server.close(() => resolve());
          server.closeAllConnections();
        }),
    };
  },
});

const createHandler = ({ defaults = {}, script, observe, inspect = true }: ModelServerOptions) => {
  const base: Directives = { ...DEFAULT_DIRECTIVES, ...defaults };
  const pacer = createPacer();
  const stats: ServerStats = {
    requests: 0,
    open: 0,
    maxOpen: 0,
    tokens: 0,
    completed: 0,
    aborted: 0,
    failed: 0,
    cut: 0,
    startedAt: Date.now(),
  };
  const attempts = new Map<string, number>();
  let bodies: unknown[] = [];
  let lastNumber = 0;

  const reset = (): void => {
    attempts.clear();
    bodies = [];
    const zero = { requests: 0, tokens: 0, completed: 0, aborted: 0, failed: 0, cut: 0 };
    Object.assign(stats, zero, { maxOpen: stats.open });
  };

  /** Whether the faults still strike this request. With `cycle` they come again after the first good answer. */
  const strikes = (directives: Directives, texts: readonly string[], cycle: boolean): boolean => {
    if (directives.times === Number.POSITIVE_INFINITY) return true;
    const key = directives.key || texts.join("|");
    const count = (attempts.get(key) ?? 0) + 1;
    const strike = count <= directives.times;
    if (cycle && !strike) attempts.delete(key);
    else attempts.set(key, count);
    return strike;
  };

  const chat = (incoming: IncomingMessage, response: ServerResponse, body: unknown): void => {
    observe?.({ body, authorization: incoming.headers.authorization });
    const request = readChatRequest(body);
    const texts = directiveTexts(request.model ?? "", headerOf(incoming), lastUserText(request));
    const scripted = texts.length === 0 ? (script?.(request) ?? null) : null;
    const directives: Directives = { ...base, ...scripted?.directives };
    for (const text of texts) readDirectives(directives, text);
    directives.chunk = Math.max(1, directives.chunk | 0);

    stats.requests++;
    stats.open++;
    stats.maxOpen = Math.max(stats.maxOpen, stats.open);
    if (inspect) {
      bodies.push(body);
      if (bodies.length > KEPT_REQUESTS) bodies.shift();
    }
    const strike = strikes(directives, texts, scripted !== null);
    const rejected = directives.reject.split("+").find((name) => request.parameters.includes(name));
    const begin = (): void => {
      if (response.destroyed) {
        stats.open--;
        stats.aborted++;
      } else if (directives.fail && strike) {
        stats.failed++;
        stats.open--;
        refuse(response, directives);
      } else if (rejected !== undefined && strike) {
        stats.failed++;
        stats.open--;
        reject(response, directives.unnamed ? null : rejected);
      } else {
        const plan = planAnswer(++lastNumber, directives, request, scripted);
        const answer: Answer = { response, request, directives, plan, strike, stats, pacer };
        if (request.stream) sendStream(answer);
        else sendWhole(answer);
      }
    };
    if (directives.ttfb > 0) setTimeout(begin, directives.ttfb);
    else begin();
  };

  const handle = (incoming: IncomingMessage, response: ServerResponse): void => {
    const path = (incoming.url ?? "").split("?")[0] ?? "";
    const route = `${incoming.method} ${path}`;
    if (incoming.method === "POST" && path.endsWith("/chat/completions")) {
      readBody(incoming, response, (body) => chat(incoming, response, body));
    } else if (incoming.method === "GET" && path.endsWith("/models")) {
      const model = { id: "fake", object: "model", created: 1_700_000_000, owned_by: "fake" };
      sendJson(response, 200, { object: "list", data: [model] });
    } else if (inspect && route === "GET /stats") {
      sendJson(response, 200, stats);
    } else if (inspect && route === "GET /requests") {
      sendJson(response, 200, bodies);
    } else if (inspect && route === "POST /reset") {
      reset();
      sendJson(response, 200, { ok: true });
    } else {
      sendJson(response, 404, { error: { message: "no such path", type: "invalid_request_error" } });
    }
  };

  return { handle, reset, stats: () => stats, requests: () => bodies };
};

const headerOf = (incoming: IncomingMessage): string | undefined => {
  const header = incoming.headers["x-fake"];
  return header === undefined ? undefined : String(header);
};

const readBody = (
  incoming: IncomingMessage,
  response: ServerResponse,
  onBody: (body: unknown) => void,
): void => {
  const parts: Buffer[] = [];
  let bytes = 0;
  incoming.on("data", (part: Buffer) => {
    bytes += part.length;
    if (bytes > MAX_BODY_BYTES) incoming.destroy();
    else parts.push(part);
  });
  incoming.on("end", () => {
    let body: unknown;
    try {
      body = JSON.parse(Buffer.concat(parts).toString("utf8"));
    } catch {
      const error = { message: "body is not JSON", type: "invalid_request_error" };
      return sendJson(response, 400, { error });
    }
    onBody(body ?? {});
  });
};

const refuse = (response: ServerResponse, { fail, after }: Directives): void => {
  const type = errorType(fail);
  response.writeHead(fail, {
    "content-type": "application/json",
    ...(after === "" ? {} : { "retry-after": after }),
  });
  response.end(JSON.stringify({ error: { message: `scripted ${fail}`, type, param: null, code: type } }));
};

const reject = (response: ServerResponse, param: string | null): void => {
  const error = {
    message: "scripted rejection",
    type: "invalid_request_error",
    param,
    code: "unsupported_parameter",
  };
  sendJson(response, 400, { error });
};

const errorType = (status: number): string => {
  if (status === 429) return "rate_limit_exceeded";
  if (status === 401) return "authentication_error";
  return status < 500 ? "invalid_request_error" : "server_error";
};

const sendJson = (response: ServerResponse, status: number, value: unknown): void => {
  response.writeHead(status, { "content-type": "application/json" });
  response.end(JSON.stringify(value));
};
