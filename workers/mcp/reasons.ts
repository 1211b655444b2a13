import { ProtocolError, SdkError, SdkErrorCode, SdkHttpError } from "@modelcontextprotocol/client";

/** Why a server cannot be used, for people and logs. */
export class McpUnavailable extends Error {
  constructor(reason: string, options: ErrorOptions = {}) {
    super(reason, options);
    this.name = "McpUnavailable";
  }
}

/**
 * A sentence about a failure in our own words: what a server says on its way out may hold its keys, and so may what a library
 * quotes of it (P-25).
 */
export const reasonOf = (
  error: unknown,
  ended: { readonly exitCode: number | null } | null,
  waitedMs: number,
): string => {
  if (error instanceof McpUnavailable) return error.message;
  if (ended !== null) return endOf(ended.exitCode);
  if (error instanceof SdkHttpError) {
    const redirect = error.status >= 300 && error.status < 400 ? " (redirects are not followed)" : "";
    return `it answered with HTTP status ${error.status}${redirect}`;
  }
  if (error instanceof SdkError) {
    if (error.code === SdkErrorCode.RequestTimeout) return late(waitedMs);
    if (error.code === SdkErrorCode.ConnectionClosed) return "it closed the connection";
    return `it does not speak the protocol as expected (${error.code})`;
  }
  if (error instanceof ProtocolError) return `it refused (error ${error.code})`;
  const code = codeOf(error);
  if (code !== null) return `it cannot be started or reached (${code})`;
  return "it does not speak the protocol as expected";
};

export const late = (waitedMs: number): string => `it did not answer within ${waitedMs / 1000} s`;

const endOf = (exitCode: number | null): string => {
  if (exitCode === 127) return "its command was not found";
  if (exitCode === 126) return "its command cannot be executed";
  return exitCode === null
    ? "its process was ended by a signal"
    : `its process ended (exit code ${exitCode})`;
};

/** Of the error itself or of what `fetch` wraps. */
const codeOf = (error: unknown, depth = 0): string | null => {
  if (typeof error !== "object" || error === null || depth > 3) return null;
  const { code, cause } = error as { readonly code?: unknown; readonly cause?: unknown };
  return typeof code === "string" && /^[A-Z_]{2,40}$/.test(code) ? code : codeOf(cause, depth + 1);
};
