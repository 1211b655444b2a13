import type { AddressInfo } from "node:net";
import { connect } from "node:net";
import { join } from "node:path";
import { createParser, type EventSourceMessage } from "eventsource-parser";
import { pino } from "pino";
import { Registry } from "prom-client";
import { type AppDeps, createApp } from "../../api/app.ts";
import { createBacklog } from "../../api/backlog.ts";
import { contextCalls } from "../../api/context-calls.ts";
import { deliveryCalls } from "../../api/delivery-calls.ts";
import { healthChecks } from "../../api/health-checks.ts";
import { jobCalls } from "../../api/job-calls.ts";
import { loginStore } from "../../api/login-store.ts";
import { createAuth } from "../../api/middleware/auth.ts";
import { addDeliveryMetrics } from "../../api/ops/delivery-metrics.ts";
import { shared } from "../../api/ops/kept.ts";
import { createMaintenanceView } from "../../api/ops/maintenance.ts";
import { opsCalls } from "../../api/ops-calls.ts";
import { processCalls } from "../../api/process-calls.ts";
import { profileRedactor } from "../../api/profile-redactor.ts";
import { withProfileTerms } from "../../api/run-terms.ts";
import { createHttpServer, type ServerLimits } from "../../api/server.ts";
import { updateCalls } from "../../api/update-calls.ts";
import { publishHint } from "../../common/journal/hints.ts";
import { createModelLists } from "../../common/profiles/model-list.ts";
import { profileTerms, resolveProfile } from "../../common/profiles/resolve.ts";
import { loadSalt, saltFile } from "../../common/profiles/revision.ts";
import { createProfileStore } from "../../common/profiles/store.ts";
import { checkWorkspace } from "../../common/profiles/workspace.ts";
import { createWorkerRegistry } from "../../common/queues/worker-registry.ts";
import { type House, type HouseOptions, hintsSettled, logReaches, openHouse } from "./house.ts";
import type { Started } from "./played-run.ts";
import { closeBeforeRedis } from "./redis.ts";

export interface TestApi extends House {
  readonly url: string;
  readonly port: number;
  readonly registry: Registry;
  /** Lines of the log, as text. */
  readonly logged: string[];
  /** Tells the followers of every process that the list changed. */
  hint(hint: Parameters<typeof publishHint>[2]): Promise<void>;
  /** Aborts the app's shutdown signal. */
  shutDown(): void;
}

type Replaceable = "profiles" | "workspaceCheck" | "health" | "dashboard" | "webDir" | "limits" | "recheckMs";

export interface TestApiOptions extends HouseOptions, Partial<Pick<AppDeps, Replaceable>> {
  readonly password?: string;
  readonly token?: string;
  readonly http?: Partial<AppDeps["config"]["http"]>;
  readonly journalTimes?: Partial<AppDeps["config"]["journal"]>;
  readonly server?: Partial<ServerLimits>;
  /** Stays when the app closes, for another one; otherwise the app has one of its own. */
  readonly house?: House;
  /** `host:port` of webhooks and push services that may be private. */
  readonly privateTargets?: readonly string[];
  /** Epoch milliseconds, as logins see them. */
  readonly nowMs?: () => number;
}

const VERSION = "0.0.0";

/** The app behind a real HTTP server on a free loopback port, over the real things that an api process opens. Closed with the test file. */
export const startApi = async (options: TestApiOptions = {}): Promise<TestApi> => {
  const { password = null, token = null, http, journalTimes, server: limits, nowMs, ...rest } = options;
  const { house: given, redisUrl, maxRunBytes, home: kept, privateTargets = [], ...deps } = rest;
  const house =
    given ??
    (await openHouse({
      ...(redisUrl === undefined ? {} : { redisUrl }),
      ...(maxRunBytes === undefined ? {} : { maxRunBytes }),
      ...(kept === undefined ? {} : { home: kept }),
    }));
  const logged: string[] = [];
  const log = pino({ level: "trace" }, { write: (line: string) => void logged.push(line) });
  const { db, home, hub, journal, lifecycle, redis, keys, transcript } = house;

  const salt = await loadSalt(saltFile(join(home, "talaria")));
  const shutdown = new AbortController();
  const registry = new Registry();
  const workers = createWorkerRegistry(redis, keys.workers);
  const live = shared(() => workers.live());
  const backlog = createBacklog(db.read, live);
  addDeliveryMetrics(registry, () => db.read.deliveryCounts());
  const app = createApp({
    config: {
      http: { host: "127.0.0.1", allowedHosts: [], trustedProxies: [], maxStreams: 100, ...http },
      journal: { heartbeatMs: 5000, slowReaderMs: 20_000, ...journalTimes },
    },
    sessions: db.sessions,
    runs: withProfileTerms(db.runs, db.sessions, (profile) => profileTerms(home, profile, salt)),
    ...{ transcripts: transcript.transcripts, changes: transcript.changes, finder: transcript.finder },
    ...{ stores: transcript.stores, copySession: (input, copy) => db.write.copySession(input, copy) },
    redactorOf: (profile) => profileRedactor(home, profile),
    control: lifecycle.control,
    journal,
    hub,
    profiles: createProfileStore({ home, lockFile: join(home, "talaria", "profiles.lock"), salt }),
    models: createModelLists({ home }),
    sessionCounts: () => db.read.sessionCounts(),
    applyLimits: (profile, limits) => db.write.putLimits(profile, limits),
    forgetSearch: (profile) => transcript.search.forget(profile),
    workspaceCheck: (path) => checkWorkspace(home, path),
    auth: createAuth({
      config: { password, token },
      store: loginStore(db),
      ...(nowMs === undefined ? {} : { nowMs }),
    }),
    log,
    metrics: registry,
    health: { checks: healthChecks(house, house.blocking, backlog) },
    backlog,
    jobs: jobCalls(db, lifecycle.control),
    deliveries: await deliveryCalls(db, lifecycle.control, {
      ...{ stateDir: join(home, "talaria"), deliveries: { privateTargets } },
    }),
    updates: updateCalls(db, house.queue, "off"),
    contexts: contextCalls({
      ...{ db, context: transcript.context, control: lifecycle.control },
      resolveProfile: (name) => resolveProfile(home, name),
    }),
    processes: processCalls(db, lifecycle.control),
    ops: opsCalls({
      maintenance: createMaintenanceView(() => db.read.maintenance()),
      ...{ version: VERSION, db, redis, keys, live, backlog, control: lifecycle.control },
      ...{ hasDashboard: false, retentionMs: 24 * 3_600_000 },
    }),
    dashboard: null,
    webDir: null,
    shutdown: shutdown.signal,
    version: VERSION,
    ...deps,
  });
  const server = createHttpServer(app, { maxConnections: 500, ...limits });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  let closed: Promise<void> | undefined;
  const close = (): Promise<void> => {
    closed ??= (async () => {
      shutdown.abort();
      await new Promise<void>((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      });
      if (given === undefined) await house.close();
    })();
    return closed;
  };
  closeBeforeRedis(close);
  const { port } = server.address() as AddressInfo;
  return {
    ...house,
    url: `http://127.0.0.1:${port}`,
    port,
    registry,
    logged,
    hint: (hint) => publishHint(redis, keys, hint),
    shutDown: () => shutdown.abort(),
    close,
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

/** A new session; its creation is journaled, as the first entry of its log. */
export const newSession = async (api: TestApi): Promise<string> => {
  const answer = await postJson(`${api.url}/api/sessions`, {});
  const { session } = (await answer.json()) as { session: { id: string } };
  await logReaches(api, session.id, 1);
  return session.id;
};

/** A run in the session, accepted and announced: `run_queued` is in the journal, its job in the queue, its hints are told. */
export const startRunIn = async (api: TestApi, sessionId: string): Promise<Started> => {
  const answer = await postJson(`${api.url}/api/sessions/${sessionId}/runs`, { input: "hello" });
  const { run } = (await answer.json()) as { run: { id: string } };
  await api.lifecycle.dispatcher.settled();
  await hintsSettled(api);
  return { sessionId, runId: run.id };
};

/** The same in a new session: entry 1-0 is `session_changed`, entry 2-0 `run_queued`. */
export const startRun = async (api: TestApi): Promise<Started> => startRunIn(api, await newSession(api));

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
