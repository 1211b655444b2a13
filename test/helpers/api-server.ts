import type { AddressInfo } from "node:net";
import { connect } from "node:net";
import { createParser, type EventSourceMessage } from "eventsource-parser";
import { pino } from "pino";
import { Registry } from "prom-client";
import { type AppDeps, createApp } from "../../api/app.ts";
import { createAuth } from "../../api/middleware/auth.ts";
import { createMemoryAuthStore } from "../../api/middleware/auth-store.ts";
import { createHttpServer, type ServerLimits } from "../../api/server.ts";
import { createMemoryHouse, type MemoryHouse } from "./memory-stores.ts";

export interface TestApi {
  readonly url: string;
  readonly port: number;
  readonly house: MemoryHouse;
  readonly registry: Registry;
  /** Lines of the log, as text. */
  readonly logged: string[];
  /** Aborts the app's shutdown signal. */
  shutDown(): void;
  close(): Promise<void>;
}

export interface TestApiOptions extends Omit<Partial<AppDeps>, "config"> {
  readonly password?: string;
  readonly token?: string;
  readonly http?: Partial<AppDeps["config"]["http"]>;
  readonly journalTimes?: Partial<AppDeps["config"]["journal"]>;
  readonly server?: Partial<ServerLimits>;
}

/** The app behind a real HTTP server on a free loopback port, over stores in memory. */
export const startApi = async (options: TestApiOptions = {}): Promise<TestApi> => {
  const { password = null, token = null, http, journalTimes, server: limits, ...deps } = options;
  const house = createMemoryHouse();
  const shutdown = new AbortController();
  const registry = new Registry();
  const logged: string[] = [];
  const app = createApp({
    config: {
      http: { host: "127.0.0.1", allowedHosts: [], trustedProxies: [], maxStreams: 100, ...http },
      journal: { heartbeatMs: 5000, slowReaderMs: 20_000, ...journalTimes },
    },
    ...house,
    profiles: { exists: async (name) => name === "default", list: async () => ["default"] },
    workspaceCheck: async (path) => path,
    auth: createAuth({ config: { password, token }, store: createMemoryAuthStore() }),
    log: pino({ level: "trace" }, { write: (line: string) => void logged.push(line) }),
    metrics: registry,
    health: { checks: {} },
    webDir: null,
    shutdown: shutdown.signal,
    version: "0.0.0",
    ...deps,
  });
  const server = createHttpServer(app, { maxConnections: 500, ...limits });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}`,
    port,
    house,
    registry,
    logged,
    shutDown: () => shutdown.abort(),
    close: () =>
      new Promise((resolve) => {
        shutdown.abort();
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
};

/** Runs `work` with an app of its own. */
export const withApi = async (
  options: TestApiOptions,
  work: (api: TestApi) => Promise<void>,
): Promise<void> => {
  const api = await startApi(options);
  try {
    await work(api);
  } finally {
    await api.close();
  }
};

export const postJson = (
  url: string,
  body: unknown,
  headers: Record<string, string> = {},
): Promise<Response> =>
  fetch(url, {
    method: "POST",
    headers: { "content-type": "application/json", ...headers },
    body: JSON.stringify(body),
  });

/** A new session with a run in it; the run is only accepted, nothing is journaled. */
export const startRun = async (api: TestApi): Promise<{ sessionId: string; runId: string }> => {
  const { session } = (await (await postJson(`${api.url}/api/sessions`, {})).json()) as {
    session: { id: string };
  };
  const answer = await postJson(`${api.url}/api/sessions/${session.id}/runs`, { input: "hello" });
  const { run } = (await answer.json()) as { run: { id: string } };
  return { sessionId: session.id, runId: run.id };
};

/** Writes bytes on a fresh connection; resolves with everything that came back when the other side closed or fell silent. */
export const rawRequest = (port: number, bytes: string | Buffer, quietMs = 2000): Promise<string> =>
  new Promise((resolve) => {
    const socket = connect(port, "127.0.0.1");
    let text = "";
    const done = (): void => {
      socket.destroy();
      resolve(text);
    };
    socket.setTimeout(quietMs, done);
    socket.on("data", (chunk: Buffer) => {
      text += chunk.toString("latin1");
    });
    socket.on("error", done);
    socket.on("close", done);
    socket.on("connect", () => void socket.write(bytes));
  });

export const statusOf = (answer: string): number => Number(/^HTTP\/1\.1 (\d{3})/.exec(answer)?.[1] ?? 0);

export interface Follower {
  readonly response: Response;
  /** Frames so far. */
  readonly frames: EventSourceMessage[];
  readonly comments: number;
  /** Resolves when `count` frames are there, or rejects when the stream ended before. */
  until(count: number): Promise<EventSourceMessage[]>;
  /** Resolves with all frames when the server ends the stream. */
  ended(): Promise<EventSourceMessage[]>;
  drop(): void;
}

/** Opens an event stream and parses it as it comes. */
export const follow = async (url: string, headers: Record<string, string> = {}): Promise<Follower> => {
  const abort = new AbortController();
  const response = await fetch(url, { headers, signal: abort.signal });
  const frames: EventSourceMessage[] = [];
  let comments = 0;
  let over = false;
  let wake = Promise.withResolvers<void>();
  const parser = createParser({
    onEvent: (frame) => void frames.push(frame),
    onComment: () => {
      comments++;
    },
  });
  const reading = (async () => {
    try {
      const decoder = new TextDecoder();
      for await (const chunk of response.body ?? []) {
        parser.feed(decoder.decode(chunk as Uint8Array, { stream: true }));
        wake.resolve();
        wake = Promise.withResolvers();
      }
    } catch {
      // Dropped by the test, or cut off by the server.
    }
    over = true;
    wake.resolve();
  })();
  return {
    response,
    frames,
    get comments() {
      return comments;
    },
    async until(count) {
      while (frames.length < count) {
        if (over) throw new Error(`the stream ended after ${frames.length} frames`);
        await wake.promise;
      }
      return frames;
    },
    async ended() {
      await reading;
      return frames;
    },
    drop: () => abort.abort(),
  };
};
