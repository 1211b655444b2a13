import { within } from "../../common/base/bounded-wait.ts";

/** A check of `/readyz`: null when all is well, else the reason in a few words. A rejection counts as a reason, too. */
export type HealthCheck = () => Promise<string | null>;

export interface Readiness {
  readonly ready: boolean;
  /** Name of the check -> reason. */
  readonly reasons: Readonly<Record<string, string>>;
}

/** Runs all checks at once, each bounded by `boundMs`: a hanging part of the house must not hang the answer. */
export const checkReadiness = async (
  checks: Readonly<Record<string, HealthCheck>>,
  boundMs = 2000,
): Promise<Readiness> => {
  const results = await Promise.all(
    Object.entries(checks).map(async ([name, check]) => [name, await bounded(check, boundMs)] as const),
  );
  const reasons = Object.fromEntries(
    results.flatMap(([name, reason]) => (reason === null ? [] : [[name, reason]])),
  );
  return { ready: Object.keys(reasons).length === 0, reasons };
};

const bounded = async (check: HealthCheck, boundMs: number): Promise<string | null> => {
  try {
    return await within(check(), boundMs, `no answer within ${boundMs / 1000} s`);
  } catch {
    return "failed";
  }
};
