import type { Backlog } from "../../../common/contracts/backlog.ts";
import type { CompressPreview, ContextAnswer, ContextInfo } from "../../../common/contracts/context.ts";
import type { Delivery } from "../../../common/contracts/delivery.ts";
import type {
  CutAnswer,
  ImportBody,
  MessagePage,
  Page,
  PatchSessionBody,
  SearchAnswer,
  Settings,
  StoreInfo,
} from "../../../common/contracts/http.ts";
import type { Job } from "../../../common/contracts/job.ts";
import type { DeadLetter, Ops, OpsRun, OpsWorker } from "../../../common/contracts/ops.ts";
import type { Process } from "../../../common/contracts/process.ts";
import type {
  CreateProfileBody,
  ModelList,
  PatchProfileBody,
  ProfileSummary,
  ProfileView,
} from "../../../common/contracts/profile.ts";
import type { PushAnswer, PushBrowser, PushSubscriptionBody } from "../../../common/contracts/push.ts";
import type { RecapKind } from "../../../common/contracts/recap.ts";
import type { Run } from "../../../common/contracts/run.ts";
import type { Session, SessionHead } from "../../../common/contracts/session.ts";
import type { UpdateSummary, UpdatesAnswer } from "../../../common/contracts/update.ts";

/** Every way a request can fail: `status` 0 and `code` "network" when no answer came. */
export class ApiError extends Error {
  readonly code: string;
  readonly status: number;
  readonly details: unknown;
  constructor(code: string, message: string, status: number, details?: unknown) {
    super(message);
    this.name = "ApiError";
    this.code = code;
    this.status = status;
    this.details = details;
  }
  /** The same request may succeed later, and repeating it is harmless when it carries a key or an id. */
  get isTransient(): boolean {
    return this.status === 0 || this.status === 429 || this.status >= 500;
  }
}

/** Longer than the server waits for it (background-jobs B-17). */
const TITLE_TIMEOUT_MS = 75_000;

export type Api = ReturnType<typeof createApi>;

/** The public API, typed. Every call rejects with `ApiError`. */
export const createApi = (deps: { readonly fetch: typeof fetch; readonly timeoutMs: number }) => {
  const exchange = async (
    method: string,
    path: string,
    options: CallOptions = {},
  ): Promise<{ readonly response: Response; readonly text: string }> => {
    const headers: Record<string, string> = { Accept: "application/json" };
    if (options.etag !== undefined) headers["If-None-Match"] = options.etag;
    if (options.body !== undefined) headers["Content-Type"] = "application/json";
    if (options.key !== undefined) headers["Idempotency-Key"] = options.key;
    let response: Response;
    let text: string;
    try {
      response = await deps.fetch(path, {
        method,
        headers,
        ...(options.body === undefined ? {} : { body: JSON.stringify(options.body) }),
        signal: AbortSignal.timeout(options.timeoutMs ?? deps.timeoutMs),
        cache: "no-store",
      });
      text = await response.text();
    } catch {
      throw new ApiError("network", "The server could not be reached.", 0);
    }
    if (!response.ok && response.status !== 304) throw errorOf(response.status, text);
    return { response, text };
  };
  const call = async <T>(method: string, path: string, options: CallOptions = {}): Promise<T> => {
    const { text } = await exchange(method, path, options);
    return (text === "" ? undefined : JSON.parse(text)) as T;
  };
  const id = encodeURIComponent;
  /** A call on a session: `POST /api/sessions/:id/<action>`. */
  const post = <T>(sessionId: string, action: string, body: unknown, key?: string) =>
    call<T>("POST", `/api/sessions/${id(sessionId)}/${action}`, {
      body,
      ...(key === undefined ? {} : { key }),
    });

  return {
    sessions: (query: SessionsQuery) => call<Page<Session>>("GET", `/api/sessions${queryOf(query)}`),
    session: (sessionId: string) => call<{ session: Session }>("GET", `/api/sessions/${id(sessionId)}`),
    createSession: (sessionId: string, profile: string) =>
      call<{ session: Session }>("POST", "/api/sessions", { body: { id: sessionId, profile } }),
    patchSession: (sessionId: string, change: PatchSessionBody) =>
      call<{ session: Session }>("PATCH", `/api/sessions/${id(sessionId)}`, { body: change }),
    // A body type on every unsafe call, also without a body: the server asks for it (security-contract 3).
    deleteSession: (sessionId: string) =>
      call<void>("DELETE", `/api/sessions/${id(sessionId)}`, { body: {} }),
    messages: (sessionId: string, query: { limit: number; before?: string }) =>
      call<MessagePage>("GET", `/api/sessions/${id(sessionId)}/messages${queryOf(query)}`),
    startRun: (sessionId: string, input: string, key: string) =>
      call<{ run: Run; events_url: string }>("POST", `/api/sessions/${id(sessionId)}/runs`, {
        body: { input, on_busy: "queue" },
        key,
      }),
    /** null: nothing changed since the answer that `etag` came with. */
    async head(
      sessionId: string,
      etag: string | null,
    ): Promise<{ readonly head: SessionHead; readonly etag: string | null } | null> {
      const path = `/api/sessions/${id(sessionId)}/head`;
      const { response, text } = await exchange("GET", path, etag === null ? {} : { etag });
      if (response.status === 304) return null;
      return { head: JSON.parse(text) as SessionHead, etag: response.headers.get("ETag") };
    },
    undo: (sessionId: string) => post<CutAnswer>(sessionId, "undo", { turns: 1 }),
    truncate: (sessionId: string, keepThrough: string) =>
      post<CutAnswer>(sessionId, "truncate", { keep_through: keepThrough }),
    clear: (sessionId: string) => post<CutAnswer>(sessionId, "clear", {}),
    retry: (sessionId: string, key: string) => post<{ run: Run }>(sessionId, "retry", {}, key),
    edit: (sessionId: string, messageId: string, input: string, key: string) =>
      post<{ run: Run }>(sessionId, "edit", { message_id: messageId, input }, key),
    fork: (sessionId: string, through: string) => post<{ session: Session }>(sessionId, "fork", { through }),
    duplicate: (sessionId: string) => post<{ session: Session }>(sessionId, "duplicate", {}),
    markRead: (sessionId: string) => post<{ session: Session }>(sessionId, "read", {}),
    importSession: (file: ImportBody) =>
      call<{ session: Session }>("POST", "/api/sessions/import", { body: file }),
    search: (query: { q: string; limit: number; cursor?: string; profile?: string }) =>
      call<SearchAnswer>("GET", `/api/search${queryOf(query)}`),
    /** Makes a title from the latest exchange now; takes as long as the model does. */
    makeTitle: (sessionId: string) =>
      call<{ session?: Session; job?: Job }>("POST", `/api/sessions/${id(sessionId)}/title`, {
        body: {},
        timeoutMs: TITLE_TIMEOUT_MS,
      }),
    /** Whether a recap of the newest messages is worth while. */
    recapOffer: (sessionId: string, unread: number) =>
      call<{ offered: boolean }>("GET", `/api/sessions/${id(sessionId)}/recap${queryOf({ unread })}`),
    makeRecap: (sessionId: string, kind: RecapKind) => post<{ job: Job }>(sessionId, "recap", { kind }),
    cancelJob: (jobId: string) => call<{ job: Job }>("POST", `/api/jobs/${id(jobId)}/cancel`, { body: {} }),
    updates: () => call<UpdatesAnswer>("GET", "/api/updates"),
    /** The text about what is new, or how far it is. */
    updateSummary: (profile: string) =>
      call<{ summary: UpdateSummary }>("POST", "/api/updates/summary", { body: { profile } }),
    compress: (sessionId: string, focus: string) =>
      post<{ job: Job }>(sessionId, "compress", focus === "" ? {} : { focus }),
    previewCompression: (sessionId: string) => post<CompressPreview>(sessionId, "compress/preview", {}),
    contexts: (sessionId: string) =>
      call<Page<ContextInfo>>("GET", `/api/sessions/${id(sessionId)}/contexts?limit=50`),
    context: (sessionId: string, version: number) =>
      call<ContextAnswer>("GET", `/api/sessions/${id(sessionId)}/contexts/${version}`),
    continueSession: (sessionId: string) => post<{ session: Session }>(sessionId, "continue", {}),
    jobs: (sessionId: string) => call<Page<Job>>("GET", `/api/sessions/${id(sessionId)}/jobs`),
    ops: () => call<{ ops: Ops }>("GET", "/api/ops"),
    opsRuns: (query: PageQuery & { readonly status?: OpsRun["status"] }) =>
      call<Page<OpsRun>>("GET", `/api/ops/runs${queryOf(query)}`),
    opsJobs: (query: PageQuery) => call<Page<Job>>("GET", `/api/ops/jobs${queryOf(query)}`),
    deadLetters: (query: PageQuery) =>
      call<Page<DeadLetter>>("GET", `/api/ops/dead-letters${queryOf(query)}`),
    requeueRun: (runId: string) =>
      call<{ run: Run }>("POST", `/api/ops/runs/${id(runId)}/requeue`, { body: {} }),
    retryJobs: (kind: Job["kind"]) =>
      call<{ retried: number; left: number }>("POST", "/api/ops/jobs/retry", { body: { kind } }),
    drainWorker: (name: string) =>
      call<{ worker: OpsWorker }>("POST", `/api/ops/workers/${id(name)}/drain`, { body: {} }),
    retryJob: (jobId: string) => call<{ job: Job }>("POST", `/api/jobs/${id(jobId)}/retry`, { body: {} }),
    opsDeliveries: (query: PageQuery) => call<Page<Delivery>>("GET", `/api/ops/deliveries${queryOf(query)}`),
    retryDelivery: (deliveryId: string) =>
      call<{ delivery: Delivery }>("POST", `/api/deliveries/${id(deliveryId)}/retry`, { body: {} }),
    processes: (sessionId: string) => call<Page<Process>>("GET", `/api/sessions/${id(sessionId)}/processes`),
    killProcess: (processId: string) =>
      call<{ process: Process }>("POST", `/api/processes/${id(processId)}/kill`, { body: {} }),
    backlog: () => call<Page<Backlog>>("GET", "/api/backlog"),
    stores: () => call<Page<StoreInfo>>("GET", "/api/stores"),
    cancelRun: (runId: string) => call<{ run: Run }>("POST", `/api/runs/${id(runId)}/cancel`, { body: {} }),
    profiles: () => call<Page<ProfileSummary>>("GET", "/api/profiles?all=true"),
    profile: (name: string) => call<{ profile: ProfileView }>("GET", `/api/profiles/${id(name)}`),
    createProfile: (body: CreateProfileBody) =>
      call<{ profile: ProfileView }>("POST", "/api/profiles", { body }),
    patchProfile: (name: string, body: PatchProfileBody) =>
      call<{ profile: ProfileView }>("PATCH", `/api/profiles/${id(name)}`, { body }),
    deleteProfile: (name: string) => call<void>("DELETE", `/api/profiles/${id(name)}`, { body: {} }),
    setKey: (profile: string, name: string, value: string) =>
      call<unknown>("POST", `/api/profiles/${id(profile)}/keys`, { body: { name, value } }),
    removeKey: (profile: string, name: string) =>
      call<unknown>("DELETE", `/api/profiles/${id(profile)}/keys/${id(name)}`, { body: {} }),
    models: (profile: string) => call<ModelList>("GET", `/api/models${queryOf({ profile })}`),
    push: () => call<PushAnswer>("GET", "/api/push"),
    subscribePush: (body: PushSubscriptionBody) =>
      call<{ subscription: PushBrowser }>("POST", "/api/push/subscriptions", { body }),
    unsubscribePush: (subscriptionId: string) =>
      call<void>("DELETE", `/api/push/subscriptions/${id(subscriptionId)}`, { body: {} }),
    settings: () => call<Settings>("GET", "/api/settings"),
    login: (password: string) => call<unknown>("POST", "/api/login", { body: { password } }),
  };
};

type PageQuery = { readonly limit: number; readonly cursor?: string };

export type SessionsQuery = {
  readonly q?: string;
  readonly cursor?: string;
  readonly limit: number;
  readonly source?: string;
  readonly profile?: string;
  readonly archived?: "true" | "false";
};

/** Where a session is downloaded from. */
export const exportUrl = (sessionId: string, format: "json" | "markdown" | "html"): string =>
  `/api/sessions/${encodeURIComponent(sessionId)}/export?format=${format}`;

interface CallOptions {
  readonly etag?: string;
  readonly body?: unknown;
  readonly key?: string;
  readonly timeoutMs?: number;
}

const queryOf = (query: { readonly [name: string]: string | number | undefined }): string => {
  const params = new URLSearchParams();
  for (const [name, value] of Object.entries(query))
    if (value !== undefined && value !== "") params.set(name, String(value));
  const text = params.toString();
  return text === "" ? "" : `?${text}`;
};

const errorOf = (status: number, body: string): ApiError => {
  try {
    const { error } = JSON.parse(body) as {
      error?: { code?: unknown; message?: unknown; details?: unknown };
    };
    if (typeof error?.code === "string" && typeof error.message === "string")
      return new ApiError(error.code, error.message, status, error.details);
  } catch {
    // Not ours, for instance a proxy's page.
  }
  return new ApiError("http_error", `The server answered with status ${status}.`, status);
};
