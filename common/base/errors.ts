/** Every error code a client can meet, with its HTTP status. Codes are public and never change meaning. */
export const ERROR_STATUS = {
  invalid_request: 400,
  unauthorized: 401,
  invalid_credentials: 401,
  forbidden: 403,
  cross_origin: 403,
  not_found: 404,
  session_not_found: 404,
  run_not_found: 404,
  profile_not_found: 404,
  message_not_found: 404,
  method_not_allowed: 405,
  request_timeout: 408,
  session_busy: 409,
  conflict: 409,
  stale_generation: 409,
  nothing_to_undo: 409,
  store_read_only: 409,
  profile_exists: 409,
  profile_busy: 409,
  no_update: 409,
  compression_exhausted: 409,
  body_too_large: 413,
  unsupported_media_type: 415,
  misdirected_request: 421,
  idempotency_mismatch: 422,
  on_busy_unsupported: 422,
  attachments_unsupported: 422,
  workspace_refused: 422,
  profile_unavailable: 422,
  key_refused: 422,
  title_not_found: 422,
  address_refused: 422,
  nothing_to_recap: 422,
  nothing_to_compress: 422,
  rate_limited: 429,
  too_many_streams: 429,
  internal_error: 500,
  config_invalid: 500,
  provider_unavailable: 502,
  store_unavailable: 503,
  redis_unavailable: 503,
  overloaded: 503,
  shutting_down: 503,
  storage_full: 507,
} as const;

export type ErrorCode = keyof typeof ERROR_STATUS;

export interface ErrorDetail {
  readonly path: string;
  readonly message: string;
}

/** The one error type that crosses rooms: a stable code, a sentence for people, optional machine details. */
export class TalariaError extends Error {
  readonly code: ErrorCode;
  readonly details: unknown;
  /** Seconds after which a retry makes sense; sent as `Retry-After`. */
  readonly retryAfterS: number | undefined;

  constructor(
    code: ErrorCode,
    message: string,
    options: ErrorOptions & { details?: unknown; retryAfterS?: number } = {},
  ) {
    super(message, options);
    this.name = "TalariaError";
    this.code = code;
    this.details = options.details;
    this.retryAfterS = options.retryAfterS;
  }

  get status(): number {
    return ERROR_STATUS[this.code];
  }
}

/** True for our own error, optionally of one code; works across worker threads where `instanceof` would not. */
export const isTalariaError = (error: unknown, code?: ErrorCode): error is TalariaError =>
  error instanceof TalariaError && (code === undefined || error.code === code);

/** What was looked for; throws `not_found` where there is none. `what`: as people call it. */
export const demand = <T>(found: T | null, what: string): T => {
  if (found === null) throw new TalariaError("not_found", `There is no such ${what}.`);
  return found;
};

/** A one-line message of anything that was thrown. */
export const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));
