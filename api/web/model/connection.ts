/** The event connection as the person sees it. */
export type ConnectionStatus =
  | { readonly kind: "connecting" }
  | { readonly kind: "open" }
  /** Dropped; `attempt` counts the tries since, from 1. */
  | { readonly kind: "reconnecting"; readonly attempt: number }
  | { readonly kind: "offline" }
  /** Let go because nobody looks; resumed at the cursor. */
  | { readonly kind: "paused" }
  /** 401: waits for a login, keeps everything. */
  | { readonly kind: "signed_out" }
  /** 403 or 404: final. */
  | { readonly kind: "refused"; readonly status: number };

const DELAYS_MS = [1_500, 3_000, 5_000, 8_000, 12_000, 20_000] as const;

/** Milliseconds before try `attempt` (from 1), spread by a quarter to each side; `random` is in [0, 1). */
export const backoffMs = (attempt: number, random: number): number => {
  const base = DELAYS_MS[Math.min(attempt, DELAYS_MS.length) - 1] ?? DELAYS_MS[0];
  return Math.round(base * (0.75 + random / 2));
};
