import express, { type RequestHandler } from "express";
import type { Logger } from "pino";
import type { Registry } from "prom-client";
import { TalariaError } from "../common/base/errors.ts";
import type { Config } from "../common/config/schema.ts";
import type { Backlog } from "../common/contracts/backlog.ts";
import type { StoreInfo } from "../common/contracts/http.ts";
import type { Journal } from "../common/journal/port.ts";
import type { RunControl } from "../common/lifecycle/port.ts";
import type { ModelLists } from "../common/profiles/model-list.ts";
import type { ProfileStore } from "../common/profiles/store.ts";
import type { RunStore } from "../common/runs/port.ts";
import type { SessionStore } from "../common/sessions/port.ts";
import type { Finder } from "../common/transcript/find.ts";
import type { TranscriptChanges, Transcripts } from "../common/transcript/port.ts";
import type { DeliveryCalls } from "./delivery-calls.ts";
import type { Auth } from "./middleware/auth.ts";
import { jsonBody } from "./middleware/body.ts";
import { errorHandler, isRedisAway } from "./middleware/errors.ts";
import { hostGuard } from "./middleware/host.ts";
import { originGuard } from "./middleware/origin.ts";
import { DEFAULT_LIMITS, type Limits, loginLimits, requestLimit } from "./middleware/rate-limits.ts";
import { requestId } from "./middleware/request-id.ts";
import { noStore, securityHeaders } from "./middleware/security-headers.ts";
import { DASHBOARD_PATH } from "./ops/dashboard-path.ts";
import type { HealthCheck } from "./ops/health.ts";
import { createMetrics } from "./ops/metrics.ts";
import { addReadinessMetrics } from "./ops/readiness-metrics.ts";
import { mountResource, type Resource } from "./route.ts";
import { type BackgroundProcessDeps, backgroundProcessRoutes } from "./routes/background-processes.ts";
import { backlogRoutes } from "./routes/backlog.ts";
import { type ContextRoutesDeps, contextRoutes } from "./routes/contexts.ts";
import { docsRoutes } from "./routes/docs.ts";
import { eventRoutes } from "./routes/events.ts";
import { type ExchangeRoutesDeps, exchangeRoutes } from "./routes/exchange.ts";
import { type JobRoutesDeps, jobRoutes } from "./routes/jobs.ts";
import { loginRoutes } from "./routes/login.ts";
import { type OpsRoutesDeps, opsRoutes } from "./routes/ops.ts";
import { type OpsActionDeps, opsActionRoutes } from "./routes/ops-actions.ts";
import { processRoutes } from "./routes/process.ts";
import { type ProfileRoutesDeps, profileRoutes } from "./routes/profiles.ts";
import { pushRoutes } from "./routes/push.ts";
import { type RecapRoutesDeps, recapRoutes } from "./routes/recaps.ts";
import { requeueRoutes } from "./routes/requeue.ts";
import { runRoutes } from "./routes/runs.ts";
import { searchRoutes } from "./routes/search.ts";
import { sessionRoutes } from "./routes/sessions.ts";
import { settingsRoutes } from "./routes/settings.ts";
import { transcriptRoutes } from "./routes/transcript.ts";
import { type UpdateRoutesDeps, updateRoutes } from "./routes/updates.ts";
import { webPage } from "./routes/web.ts";
import { webhookRoutes } from "./routes/webhooks.ts";
import type { Hub } from "./sse/port.ts";
import { createStreams } from "./sse/streams.ts";

export interface AppDeps {
  readonly config: {
    readonly http: Pick<Config["http"], "host" | "allowedHosts" | "trustedProxies" | "maxStreams">;
    readonly journal: Pick<Config["journal"], "heartbeatMs" | "slowReaderMs">;
  };
  readonly sessions: SessionStore;
  readonly runs: RunStore;
  readonly control: RunControl;
  readonly transcripts: Transcripts;
  readonly changes: TranscriptChanges;
  readonly finder: Finder;
  readonly stores: () => Promise<readonly StoreInfo[]>;
  readonly copySession: ExchangeRoutesDeps["copySession"];
  readonly redactorOf: ExchangeRoutesDeps["redactorOf"];
  readonly journal: Journal;
  readonly hub: Hub;
  readonly profiles: ProfileStore;
  readonly models: ModelLists;
  readonly sessionCounts: ProfileRoutesDeps["sessionCounts"];
  readonly forgetSearch: ProfileRoutesDeps["forgetSearch"];
  readonly applyLimits: ProfileRoutesDeps["applyLimits"];
  readonly backlog: () => Promise<readonly Backlog[]>;
  readonly deliveries: DeliveryCalls;
  readonly jobs: Omit<JobRoutesDeps, "sessions"> & Pick<RecapRoutesDeps, "putRecap">;
  readonly updates: Omit<UpdateRoutesDeps, "demandProfile">;
  readonly contexts: ContextRoutesDeps;
  readonly processes: Omit<BackgroundProcessDeps, "sessions">;
  readonly ops: OpsRoutesDeps & OpsActionDeps;
  /** What shows the queues; null: it is off, and its addresses are not there. */
  readonly dashboard: RequestHandler | null;
  /** The folder as it is stored. Rejects with `workspace_refused`. */
  readonly workspaceCheck: (path: string, profile: string) => Promise<string>;
  readonly auth: Auth;
  readonly log: Logger;
  /** The process' registry; the app adds its own metrics once. */
  readonly metrics: Registry;
  /** Text of metrics that processes keep of themselves; absent: none. */
  readonly moreMetrics?: () => Promise<string>;
  readonly health: { readonly checks: Readonly<Record<string, HealthCheck>> };
  /** The built page; null: there is none. */
  readonly webDir: string | null;
  /** Aborts when the server begins to stop: open streams end cleanly, new ones are refused. */
  readonly shutdown: AbortSignal;
  /** Shown in the OpenAPI document. */
  readonly version: string;
  readonly limits?: Partial<Limits>;
  /** How often open streams look at their login again; 60 s. */
  readonly recheckMs?: number;
}

/** The HTTP side of an api process: guards, routes, streams, the page, one error handler. It does not listen. */
export const createApp = (deps: AppDeps): express.Express => {
  const limits = { ...DEFAULT_LIMITS, ...deps.limits };
  const { auth, config, log } = deps;
  const streams = createStreams({
    ...config.journal,
    maxStreams: config.http.maxStreams,
    maxPerFollower: limits.streamsPerPrincipal,
    recheckMs: deps.recheckMs ?? 60_000,
    shutdown: deps.shutdown,
    isOutage: isRedisAway,
    onFrames: (count) => metrics.framesSent.inc(count),
    onEnd: (reason) => metrics.streamEnded(reason),
    log,
  });
  const metrics = createMetrics(deps.metrics, () => streams.open, deps.moreMetrics);
  addReadinessMetrics(deps.metrics, deps.health.checks);

  const app = express();
  app.disable("x-powered-by");
  app.disable("etag");
  app.enable("case sensitive routing");
  app.set("trust proxy", config.http.trustedProxies.length > 0 ? [...config.http.trustedProxies] : false);
  app.use(requestId(), securityHeaders(), hostGuard(config.http));

  const identify = auth.identify();
  const counted: readonly RequestHandler[] = auth.required ? [requestLimit(limits)] : [];
  const inner = [originGuard(), noStore()];
  /** The one decision of who may pass, for every address of ours (security-contract "Pattern"). */
  const guardsOf = ({
    path,
    access,
    stream = false,
  }: Pick<Resource, "path" | "access" | "stream">): readonly RequestHandler[] => [
    ...(stream ? [] : [metrics.timed(path)]),
    ...inner,
    ...(access === "public" ? [] : [identify, ...(stream ? [] : counted), auth.demand()]),
  ];
  const readBody = jsonBody();
  const mount = (resource: Resource, more: readonly RequestHandler[] = []): void =>
    mountResource(
      app,
      resource,
      [...guardsOf(resource), ...more],
      resource.bodyLimit === undefined ? readBody : jsonBody(resource.bodyLimit),
    );
  const profiles = {
    demand: (name: string) => deps.profiles.canonical(name),
    asNamed: async <Query extends { readonly profile?: string | undefined }>(query: Query): Promise<Query> =>
      query.profile === undefined
        ? query
        : { ...query, profile: await deps.profiles.canonical(query.profile).catch(() => query.profile) },
  };

  const { login, logout } = loginRoutes({ auth, recheckStreams: () => streams.recheck() });
  const resources: readonly Resource[] = [
    // Before the routes of one session, whose id "import" would be.
    ...exchangeRoutes({ ...deps, profiles }),
    ...sessionRoutes({ ...deps, profiles }),
    ...transcriptRoutes({ ...deps, metrics }),
    ...searchRoutes({ ...deps, profiles }),
    ...runRoutes({ ...deps, metrics, profiles, checkTarget: deps.deliveries.webhooks.checkTarget }),
    ...webhookRoutes({ ...deps.deliveries.webhooks, sessions: deps.sessions }),
    ...pushRoutes(deps.deliveries.push),
    ...eventRoutes({
      ...deps,
      streams,
      isOutage: isRedisAway,
      rejournal: (runId) => deps.control.rejournal(runId),
    }),
    ...settingsRoutes(deps),
    ...profileRoutes(deps),
    ...backlogRoutes(deps),
    ...opsRoutes(deps.ops),
    ...opsActionRoutes(deps.ops),
    ...requeueRoutes({ ...deps, metrics }),
    ...jobRoutes({ ...deps.jobs, sessions: deps.sessions }),
    ...recapRoutes({ ...deps, putRecap: deps.jobs.putRecap }),
    ...updateRoutes({ ...deps.updates, demandProfile: profiles.demand }),
    ...contextRoutes(deps.contexts),
    ...backgroundProcessRoutes({ ...deps.processes, sessions: deps.sessions }),
    logout,
    ...processRoutes({ checks: deps.health.checks, metrics }),
  ];
  for (const resource of resources) mount(resource);
  mount(login, auth.required ? loginLimits(limits) : []);
  for (const resource of docsRoutes([...resources, login], deps.version)) mount(resource);

  if (deps.dashboard !== null)
    app.use(DASHBOARD_PATH, ...guardsOf({ path: DASHBOARD_PATH, access: "protected" }), deps.dashboard);

  // What is unknown under our own addresses is behind the same door as what is known.
  // "/ops" itself is an address of the page, which holds no data.
  app.use(["/api", "/ops/*rest"], ...inner, identify, ...counted, auth.demand(), notFound);
  app.use(...webPage(deps.webDir));
  app.use(notFound);
  app.use(errorHandler(log));
  return app;
};

const notFound: RequestHandler = (_req, _res, next) =>
  next(new TalariaError("not_found", "There is nothing at this address."));
