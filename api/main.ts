import { existsSync } from "node:fs";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { RequestHandler } from "express";
import { Registry } from "prom-client";
import { type Backbone, openBackbone } from "../common/backbone/open.ts";
import { isTalariaError, messageOf } from "../common/base/errors.ts";
import { loadConfig } from "../common/config/load.ts";
import { packageVersion } from "../common/config/version.ts";
import { createLogger } from "../common/logging/logger.ts";
import { createModelLists } from "../common/profiles/model-list.ts";
import { profileTerms, resolveProfile } from "../common/profiles/resolve.ts";
import { createProfileStore } from "../common/profiles/store.ts";
import { checkWorkspace } from "../common/profiles/workspace.ts";
import { createWorkerRegistry } from "../common/queues/worker-registry.ts";
import { connectRedis } from "../common/redis/connect.ts";
import { createApp } from "./app.ts";
import { createBacklog } from "./backlog.ts";
import { contextCalls } from "./context-calls.ts";
import { deliveryCalls, watchPushOwners } from "./delivery-calls.ts";
import { healthChecks } from "./health-checks.ts";
import { jobCalls } from "./job-calls.ts";
import { loginStore } from "./login-store.ts";
import { createAuth } from "./middleware/auth.ts";
import { openDashboard } from "./open-dashboard.ts";
import { addBacklogMetrics } from "./ops/backlog-metrics.ts";
import { addDeliveryMetrics } from "./ops/delivery-metrics.ts";
import { shared } from "./ops/kept.ts";
import { createMaintenanceView } from "./ops/maintenance.ts";
import { addMaintenanceMetrics } from "./ops/maintenance-metrics.ts";
import { addRunMetrics } from "./ops/run-metrics.ts";
import { addWorkerMetrics } from "./ops/worker-metrics.ts";
import { opsCalls } from "./ops-calls.ts";
import { processCalls } from "./process-calls.ts";
import { addStageMetrics, processMetrics } from "./process-metrics.ts";
import { profileRedactor } from "./profile-redactor.ts";
import { withProfileTerms } from "./run-terms.ts";
import { withTrace } from "./run-trace.ts";
import { createHttpServer } from "./server.ts";
import { createHub } from "./sse/hub.ts";
import { updateCalls } from "./update-calls.ts";

/** Exit codes: 78 when the configuration is wrong, so that whoever started the process does not start it again. */
const EXIT_CONFIG = 78;
const CLOSE_MS = 3_000;

const main = async (): Promise<void> => {
  const config = loadConfig(process.env, { argv: process.argv.slice(2) });
  const log = createLogger({ name: "api", level: config.log.level });
  const backbone = await openBackbone(config, "api", log);
  const { closers, db, journal, keys, lifecycle, redis, salt, transcript } = backbone;

  const blocking = connectRedis(config.redis.url, "blocking", {
    onError: (err) => log.warn({ err }, "hub connection"),
  });
  closers.add("hub connection", () => blocking.disconnect());
  const hub = createHub({ journal, redis, blocking, keys, id: backbone.name, log });
  closers.add("hub", () => hub.close());

  const metrics = new Registry();
  const registry = createWorkerRegistry(redis, keys.workers);
  // Prometheus reads all gauges at once.
  const live = shared(() => registry.live());
  const backlog = createBacklog(db.read, live);
  addRunMetrics(
    metrics,
    shared(() => db.read.runCounts()),
  );
  addBacklogMetrics(metrics, backlog);
  addWorkerMetrics(metrics, live);
  addDeliveryMetrics(metrics, () => db.read.deliveryCounts());
  const maintenance = shared(createMaintenanceView(() => db.read.maintenance()));
  addMaintenanceMetrics(metrics, maintenance);
  addStageMetrics(metrics, backbone, hub);
  const dashboard = config.http.dashboard ? await dashboardOver(backbone) : null;
  const version = packageVersion();
  const stopping = new AbortController();
  const auth = createAuth({ config: config.auth, store: loginStore(db) });
  const owners = watchPushOwners(db, auth, (err) => log.warn({ err }, "ended logins were not looked for"));
  closers.add("push owners", () => owners.close());
  const app = createApp({
    config,
    sessions: db.sessions,
    runs: withTrace(
      withProfileTerms(db.runs, db.sessions, (profile) => profileTerms(config.home, profile, salt)),
      backbone.traces,
    ),
    transcripts: transcript.transcripts,
    changes: transcript.changes,
    finder: transcript.finder,
    stores: transcript.stores,
    copySession: (input, copy) => db.write.copySession(input, copy),
    redactorOf: (profile) => profileRedactor(config.home, profile),
    control: lifecycle.control,
    journal,
    hub,
    profiles: createProfileStore({
      home: config.home,
      lockFile: join(config.stateDir, "profiles.lock"),
      salt,
    }),
    models: createModelLists({ home: config.home }),
    sessionCounts: () => db.read.sessionCounts(),
    applyLimits: (profile, limits) => db.write.putLimits(profile, limits),
    forgetSearch: (profile) => transcript.search.forget(profile),
    workspaceCheck: (path) => checkWorkspace(config.home, path),
    auth,
    log,
    metrics,
    moreMetrics: processMetrics(backbone),
    health: { checks: healthChecks(backbone, blocking, backlog) },
    backlog,
    jobs: jobCalls(db, lifecycle.control),
    deliveries: await deliveryCalls(db, lifecycle.control, config),
    updates: updateCalls(db, backbone.lifecycleDeps.queue, config.http.updateSource),
    contexts: contextCalls({
      ...{ db, context: transcript.context, control: lifecycle.control },
      resolveProfile: (name) => resolveProfile(config.home, name),
    }),
    processes: processCalls(db, lifecycle.control),
    ops: opsCalls({
      ...{ version, db, redis, keys, live, backlog, maintenance, control: lifecycle.control },
      ...{ hasDashboard: config.http.dashboard, retentionMs: config.journal.retentionMs },
    }),
    dashboard,
    webDir: webDir(),
    shutdown: stopping.signal,
    version,
  });
  const server = createHttpServer(app, { maxConnections: config.http.maxConnections });
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(config.http.port, config.http.host, resolve);
  });
  closers.add("http", () => new Promise<void>((resolve) => server.close(() => resolve())));
  closers.add("streams", () => stopping.abort());

  const { port } = server.address() as AddressInfo;
  const host = config.http.host.includes(":") ? `[${config.http.host}]` : config.http.host;
  const url = `http://${host}:${port}`;
  log.info({ url, pid: process.pid }, "api ready");

  let ending = false;
  const end = async (why: string): Promise<void> => {
    if (ending) return;
    ending = true;
    log.info({ why }, "api stops");
    const failed = await closers.close(CLOSE_MS);
    if (failed.length > 0) log.warn({ failed }, "not everything closed in time");
    process.exit(0);
  };
  process.on("SIGTERM", () => void end("SIGTERM"));
  process.on("SIGINT", () => void end("SIGINT"));
  // Started by a supervisor that is gone: nobody would stop this process any more.
  process.on("disconnect", () => void end("the supervisor is gone"));
  // Whoever hears it may send the stop signal at once.
  process.send?.({ type: "ready", url });
};

/** bull-board over a connection of its own. */
const dashboardOver = async ({ closers, config, db, log }: Backbone): Promise<RequestHandler> => {
  const onError = (err: unknown): void => log.warn({ err }, "dashboard");
  const connection = connectRedis(config.redis.url, "queue-producer", { onError });
  closers.add("dashboard connection", () => connection.disconnect());
  const { home, redis } = config;
  const dashboard = await openDashboard({ connection, prefix: redis.prefix, home, db, onError });
  closers.add("dashboard", () => dashboard.close());
  return dashboard.handler;
};

const webDir = (): string | null => {
  const dir = fileURLToPath(new URL("./web/dist/", import.meta.url));
  return existsSync(dir) ? dir : null;
};

main().catch((error: unknown) => {
  const wrong = isTalariaError(error, "config_invalid") || (error as { code?: string }).code === "EADDRINUSE";
  process.stderr.write(`${wrong ? messageOf(error) : `the api cannot start: ${messageOf(error)}`}\n`);
  process.exit(wrong ? EXIT_CONFIG : 1);
});
