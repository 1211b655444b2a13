import { TalariaError } from "../../common/base/errors.ts";
import type { EndReason } from "../../common/lifecycle/outcome.ts";
import { EngineError } from "../engines/port.ts";

/** Thrown when a profile cannot be read: the run fails before any request is made and never falls back (DESIGN 8). */
export class ProfileUnavailable extends Error {}

/** The run's failure behind an exception; null when the infrastructure failed and the run should be tried again. */
export const endReasonOf = (error: unknown): Extract<EndReason, { kind: "failed" }> | null => {
  if (error instanceof EngineError) {
    return {
      kind: "failed",
      code: error.code,
      message: error.message,
      ...(error.hint === undefined ? {} : { hint: error.hint }),
      ...(error.detail === undefined ? {} : { detail: error.detail }),
    };
  }
  if (error instanceof ProfileUnavailable) {
    return {
      kind: "failed",
      code: "profile_unavailable",
      message: `The profile cannot be used: ${error.message}`,
    };
  }
  if (error instanceof TalariaError) {
    if (error.code === "workspace_refused") return { kind: "failed", code: "error", message: error.message };
    return null;
  }
  return {
    kind: "failed",
    code: "error",
    message: "Something went wrong inside the server; its log has the details.",
  };
};
