import { createServer, type RequestListener, type Server, STATUS_CODES } from "node:http";
import type { Socket } from "node:net";

export interface ServerLimits {
  readonly maxConnections: number;
  /** Tests shorten these; seconds matter only to slow or hostile clients. */
  readonly headersTimeoutMs?: number;
  readonly requestTimeoutMs?: number;
}

/**
 * The HTTP server around the app, with the limits that Node itself must keep (security-contract 7): 16 KB of headers,
 * headers within 10 s, a request within 30 s. What Node refuses before Express sees it is answered in JSON, too.
 */
export const createHttpServer = (app: RequestListener, limits: ServerLimits): Server => {
  const server = createServer(
    {
      maxHeaderSize: 16_384,
      headersTimeout: limits.headersTimeoutMs ?? 10_000,
      requestTimeout: limits.requestTimeoutMs ?? 30_000,
      connectionsCheckingInterval: Math.min(1000, limits.headersTimeoutMs ?? 1000),
      keepAliveTimeout: 15_000,
    },
    app,
  );
  server.maxConnections = limits.maxConnections;
  // No cap by count: a header cut off by one could be the second Host. The bytes are bounded.
  server.maxHeadersCount = 0;
  server.on("clientError", (error: NodeJS.ErrnoException, socket) => refuse(error.code, socket as Socket));
  // Without these Node would hold the sockets open for us.
  server.on("upgrade", (_req, socket) => refuse("", socket as Socket));
  server.on("connect", (_req, socket) => refuse("", socket as Socket));
  return server;
};

const refuse = (errorCode: string | undefined, socket: Socket): void => {
  // A connection that has been answered already gets no second answer.
  if (errorCode === "ECONNRESET" || !socket.writable || socket.bytesWritten > 0) {
    socket.destroy();
    return;
  }
  const [status, code, message] =
    errorCode === "HPE_HEADER_OVERFLOW"
      ? [431, "invalid_request", "The headers are too large."]
      : errorCode === "ERR_HTTP_REQUEST_TIMEOUT"
        ? [408, "request_timeout", "The request took too long."]
        : [400, "invalid_request", "The request is malformed."];
  const body = JSON.stringify({ error: { code, message } });
  socket.end(
    `HTTP/1.1 ${status} ${STATUS_CODES[status]}\r\nContent-Type: application/json; charset=utf-8\r\nContent-Length: ${Buffer.byteLength(body)}\r\nCache-Control: no-store\r\nX-Content-Type-Options: nosniff\r\nConnection: close\r\n\r\n${body}`,
  );
};
