import { TalariaError } from "../../common/base/errors.ts";
import type { EndReason } from "../../common/lifecycle/outcome.ts";
import { EngineError } from "../engines/port.ts";
import type { AttemptStart } from "./attempt-start.ts";

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

/** Why an attempt is not to begin at all; null: it is. */
export const reasonNotToStart = ({ claim, view }: Pick<AttemptStart, "claim" | "view">): EndReason | null => {
  if (claim.record.cancelRequested) return { kind: "cancelled" };
  if (claim.exhausted) {
    const message =
      "The run was started several times, and its worker ended each time before it got any further.";
    return { kind: "failed", code: "worker_crashed", message };
  }
  if (view.attempt > 0 && claim.record.run.recovery === "fail") {
    return {
      kind: "interrupted",
      message: "The worker of this run was lost, and the run asked not to be continued.",
    };
  }
  return null;
};

/** The journal takes no more of the run. */
export const OUTPUT_LIMIT: EndReason = {
  kind: "failed",
  code: "output_limit",
  message: "The run produced more output than a run may.",
};
