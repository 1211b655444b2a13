/** A receiver may ask for a later attempt, not for one that nobody waits for any more, in seconds. */
const MAX_RETRY_AFTER_S = 24 * 3600;
/** Share of a pause by which it is longer or shorter, so that what failed together does not come back together. */
const JITTER = 0.2;

/**
 * Seconds until the next attempt after `tries` have failed; null: there is none. What the receiver asked for (`Retry-After`, seconds or
 * a date) counts where it is later.
 */
export const nextDelayS = (
  delaysS: readonly number[],
  tries: number,
  retryAfter: string | null,
  {
    nowMs = Date.now(),
    random = Math.random,
  }: { readonly nowMs?: number; readonly random?: () => number } = {},
): number | null => {
  const base = delaysS[tries - 1];
  if (base === undefined) return null;
  const jittered = base * (1 - JITTER + 2 * JITTER * random());
  return Math.max(jittered, Math.min(askedS(retryAfter, nowMs), MAX_RETRY_AFTER_S));
};

const askedS = (retryAfter: string | null, nowMs: number): number => {
  if (retryAfter === null) return 0;
  if (/^\d{1,9}$/.test(retryAfter.trim())) return Number(retryAfter);
  const at = Date.parse(retryAfter);
  return Number.isNaN(at) ? 0 : Math.max(0, (at - nowMs) / 1000);
};
