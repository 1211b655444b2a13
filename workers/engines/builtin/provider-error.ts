import { types } from "node:util";
import { APICallError } from "@ai-sdk/provider";
import type { RunErrorCode } from "../../../common/contracts/run.ts";
import { EngineError } from "../port.ts";

/** A provider's failure, read from types and structured fields only, never from wording (run-events 2.7). */
export interface ProviderFailure {
  readonly code: RunErrorCode;
  readonly status: number | undefined;
  /** A later try of the same request can succeed. */
  readonly retryable: boolean;
  /** What the provider asks to wait before it. */
  readonly retryAfterMs: number | undefined;
  /** The parameter of the request that the provider names as the fault. */
  readonly parameter: string | undefined;
  readonly detail: string;
}

/**
 * Classifies what a model call threw or sent as an error event; `null` for what is no provider's doing (a bug of ours).
 */
export const readProviderFailure = (error: unknown, nowMs: number): ProviderFailure | null => {
  if (APICallError.isInstance(error)) {
    const body = errorBody(error.data) ?? errorBody(parsed(error.responseBody));
    const connectionFailed = error.statusCode === undefined || isCutOff(error);
    const code = connectionFailed ? "provider_unavailable" : classify(error.statusCode, body);
    const found = failure(code, error.statusCode, error.message, retryAfterMs(error.responseHeaders, nowMs));
    return typeof body?.param === "string" ? { ...found, parameter: body.param } : found;
  }
  if (isSocketError(error)) return failure("provider_unavailable", undefined, String(error), undefined);
  if (types.isNativeError(error))
    return isSdkError(error) ? failure("provider_unavailable", undefined, error.message, undefined) : null;
  const body = errorBody({ error }) ?? {};
  const status = numberOf(body.statusCode) ?? numberOf(body.code);
  return failure(classify(status, body), status, String(body.message ?? error), undefined);
};

/** The failure as the run's error: our words first, the provider's as detail, the key in neither. */
export const toEngineError = (found: ProviderFailure, apiKey: string | null): EngineError => {
  const status = found.status === undefined ? "" : ` (HTTP ${found.status})`;
  const hint = HINTS[found.code];
  return new EngineError(found.code, `${SENTENCES[found.code] ?? SENTENCES.error}${status}.`, {
    detail: withoutKey(found.detail, apiKey).slice(0, MAX_DETAIL),
    ...(hint === undefined ? {} : { hint }),
  });
};

const MAX_DETAIL = 1200;

interface ErrorBody {
  readonly message?: unknown;
  readonly type?: unknown;
  readonly code?: unknown;
  readonly statusCode?: unknown;
  readonly param?: unknown;
}

/** Structured `error.code` and `error.type` values of the providers we speak to. */
const BY_NAME: Readonly<Record<string, RunErrorCode>> = {
  context_length_exceeded: "compression_exhausted",
  context_window_exceeded: "compression_exhausted",
  exceed_context_size_error: "compression_exhausted",
  request_too_large: "compression_exhausted",
  insufficient_quota: "quota_exhausted",
  billing_error: "quota_exhausted",
  billing_hard_limit_reached: "quota_exhausted",
  billing_not_active: "quota_exhausted",
  model_not_found: "model_not_found",
  not_found_error: "model_not_found",
  rate_limit_exceeded: "rate_limit",
  rate_limit_error: "rate_limit",
  invalid_api_key: "gateway_auth_error",
  authentication_error: "gateway_auth_error",
  permission_error: "gateway_auth_error",
  server_error: "provider_unavailable",
  api_error: "provider_unavailable",
  overloaded_error: "provider_unavailable",
  internal_server_error: "provider_unavailable",
  service_unavailable: "provider_unavailable",
  timeout_error: "provider_unavailable",
};

/** A name that says more than the status wins over it (429 with `insufficient_quota` is not a rate limit). */
const classify = (status: number | undefined, body: ErrorBody | undefined): RunErrorCode => {
  const named = nameOf(body?.code) ?? nameOf(body?.type);
  if (named === "quota_exhausted" || named === "model_not_found" || named === "compression_exhausted")
    return named;
  if (status === 401 || status === 403) return "gateway_auth_error";
  if (status === 402) return "quota_exhausted";
  if (status === 404) return "model_not_found";
  if (status === 413) return "compression_exhausted";
  if (status === 429) return "rate_limit";
  if (status === 408 || (status !== undefined && status >= 500 && status < 600))
    return "provider_unavailable";
  return named ?? "error";
};

const nameOf = (name: unknown): RunErrorCode | undefined =>
  typeof name === "string" && Object.hasOwn(BY_NAME, name) ? BY_NAME[name] : undefined;

const failure = (
  code: RunErrorCode,
  status: number | undefined,
  detail: string,
  retryAfter: number | undefined,
): ProviderFailure => ({
  code,
  status,
  detail,
  retryAfterMs: retryAfter,
  parameter: undefined,
  retryable: code === "rate_limit" || code === "provider_unavailable",
});

const SENTENCES: Partial<Record<RunErrorCode, string>> & { error: string } = {
  error: "The model provider refused or failed the request",
  gateway_auth_error: "The model provider refused the key",
  quota_exhausted: "The model provider's quota is used up",
  model_not_found: "The model provider does not know this model or address",
  rate_limit: "The model provider's rate limit is reached",
  provider_unavailable: "The model provider is unreachable or failing",
  compression_exhausted: "The conversation does not fit the model's context window any more",
};

const HINTS: Partial<Record<RunErrorCode, string>> = {
  gateway_auth_error: "Check the key in the profile's .env and that it belongs to this provider.",
  quota_exhausted: "Check the plan and the billing of the provider's account.",
  model_not_found: "Check model.default and model.base_url in the profile's config.yaml.",
  rate_limit: "Wait a little and try again.",
  compression_exhausted: "Go on in a new session with an empty context, or take the last messages back.",
  provider_unavailable: "Check model.base_url in the profile's config.yaml, or try again later.",
};

const errorBody = (data: unknown): ErrorBody | undefined => {
  if (typeof data !== "object" || data === null) return undefined;
  const inner = (data as { error?: unknown }).error;
  return typeof inner === "object" && inner !== null ? (inner as ErrorBody) : undefined;
};

const parsed = (body: string | undefined): unknown => {
  try {
    return JSON.parse(body ?? "");
  } catch {
    return undefined;
  }
};

const numberOf = (value: unknown): number | undefined => (typeof value === "number" ? value : undefined);

/** The connection broke inside a response that had begun well: the status says nothing then. */
const isCutOff = (error: APICallError): boolean =>
  error.statusCode !== undefined && error.statusCode < 400 && isSocketError(error.cause ?? error);

/** Network errors carry a code (`ECONNRESET`, `UND_ERR_SOCKET` …) at some depth of causes; `ERR_…` ones are misuse. */
const isSocketError = (error: unknown, depth = 0): boolean => {
  if (!types.isNativeError(error) || depth > 5) return false;
  const code = (error as NodeJS.ErrnoException).code;
  if (typeof code === "string" && /^(E(?!RR_)[A-Z]|UND_ERR_|HPE_)/.test(code)) return true;
  return isSocketError(error.cause, depth + 1);
};

/** Errors of the AI SDK about what the provider sent: not JSON, not of the protocol, no finish reason. */
const isSdkError = (error: Error): boolean => error.name.startsWith("AI_");

const retryAfterMs = (headers: Record<string, string> | undefined, nowMs: number): number | undefined => {
  const milliseconds = Number(headers?.["retry-after-ms"] ?? Number.NaN);
  if (milliseconds >= 0) return milliseconds;
  const value = headers?.["retry-after"];
  if (value === undefined || value.trim() === "") return undefined;
  const seconds = Number(value);
  if (seconds >= 0) return seconds * 1000;
  const date = Date.parse(value);
  return Number.isNaN(date) ? undefined : Math.max(0, date - nowMs);
};

const withoutKey = (text: string, apiKey: string | null): string =>
  apiKey === null || apiKey === "" ? text : text.replaceAll(apiKey, "[key]");
