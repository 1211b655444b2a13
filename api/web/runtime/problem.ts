import type { Outcome, Problem } from "../model/problem.ts";
import { ApiError } from "../net/http.ts";
import type { Store } from "./store.ts";

/** A failure as a view shows it. */
export const problemOf = (error: unknown): Problem => {
  const details = error instanceof ApiError ? error.details : undefined;
  return {
    code: error instanceof ApiError ? error.code : "unknown",
    message: error instanceof Error ? error.message : String(error),
    faults: Array.isArray(details) ? details.flatMap(faultOf) : [],
    runs: runsOf(details),
  };
};

/** Runs a command whose refusal is shown where it was given. A 401 asks for a login besides. */
export const createAttempt =
  (store: Pick<Store, "report">) =>
  async <T>(work: () => Promise<T>): Promise<Outcome<T>> => {
    try {
      return { ok: true, value: await work() };
    } catch (error) {
      if (error instanceof ApiError && error.status === 401) store.report("", error);
      return { ok: false, problem: problemOf(error) };
    }
  };

const faultOf = (detail: unknown): Problem["faults"] => {
  const { path, message } = (detail ?? {}) as { readonly path?: unknown; readonly message?: unknown };
  return typeof path === "string" && typeof message === "string" ? [{ path, message }] : [];
};

const runsOf = (details: unknown): number => {
  const ids = (details as { readonly run_ids?: unknown } | null | undefined)?.run_ids;
  return Array.isArray(ids) ? ids.length : 0;
};
