import type { MessagePage, Page, PatchSessionBody, Settings } from "../../../common/contracts/http.ts";
import type { Run } from "../../../common/contracts/run.ts";
import type { Session } from "../../../common/contracts/session.ts";

/** Every way a request can fail: `status` 0 and `code` "network" when no answer came. */
export class ApiError extends Error {
  readonly code: string;
  readonly status: number;
  constructor(code: string, message: string, status: number) {
    super(message);
    this.name = "ApiError";
    this.code = code;
    this.status = status;
  }
  /** The same request may succeed later, and repeating it is harmless when it carries a key or an id. */
  get isTransient(): boolean {
    return this.status === 0 || this.status === 429 || this.status >= 500;
  }
}

export type Api = ReturnType<typeof createApi>;

/** The public API, typed. Every call rejects with `ApiError`. */
export const createApi = (deps: { readonly fetch: typeof fetch; readonly timeoutMs: number }) => {
  const call = async <T>(method: string, path: string, options: CallOptions = {}): Promise<T> => {
    const headers: Record<string, string> = { Accept: "application/json" };
    if (options.body !== undefined) headers["Content-Type"] = "application/json";
    if (options.key !== undefined) headers["Idempotency-Key"] = options.key;
    let response: Response;
    let text: string;
    try {
      response = await deps.fetch(path, {
        method,
        headers,
        ...(options.body === undefined ? {} : { body: JSON.stringify(options.body) }),
        signal: AbortSignal.timeout(deps.timeoutMs),
        cache: "no-store",
      });
      text = await response.text();
    } catch {
      throw new ApiError("network", "The server could not be reached.", 0);
    }
    if (!response.ok) throw errorOf(response.status, text);
    return (text === "" ? undefined : JSON.parse(text)) as T;
  };
  const id = encodeURIComponent;

  return {
    sessions: (query: { q?: string; cursor?: string; limit: number }) =>
      call<Page<Session>>("GET", `/api/sessions${queryOf(query)}`),
    session: (sessionId: string) => call<{ session: Session }>("GET", `/api/sessions/${id(sessionId)}`),
    createSession: (sessionId: string) =>
      call<{ session: Session }>("POST", "/api/sessions", { body: { id: sessionId } }),
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
    cancelRun: (runId: string) => call<{ run: Run }>("POST", `/api/runs/${id(runId)}/cancel`, { body: {} }),
    settings: () => call<Settings>("GET", "/api/settings"),
    login: (password: string) => call<unknown>("POST", "/api/login", { body: { password } }),
  };
};

interface CallOptions {
  readonly body?: unknown;
  readonly key?: string;
}

const queryOf = (query: Record<string, string | number | undefined>): string => {
  const params = new URLSearchParams();
  for (const [name, value] of Object.entries(query))
    if (value !== undefined && value !== "") params.set(name, String(value));
  const text = params.toString();
  return text === "" ? "" : `?${text}`;
};

const errorOf = (status: number, body: string): ApiError => {
  try {
    const { error } = JSON.parse(body) as { error?: { code?: unknown; message?: unknown } };
    if (typeof error?.code === "string" && typeof error.message === "string")
      return new ApiError(error.code, error.message, status);
  } catch {
    // Not ours, for instance a proxy's page.
  }
  return new ApiError("http_error", `The server answered with status ${status}.`, status);
};
