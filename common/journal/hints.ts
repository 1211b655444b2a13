import type { Redis } from "ioredis";
import { SESSIONS_CHANGED_SCHEMA, type SessionsChanged } from "../contracts/events.ts";
import type { Keys } from "../redis/keys.ts";

/** Tells the followers of every process that the session list changed. Rejects when Redis cannot be reached. */
export const publishHint = async (redis: Redis, keys: Keys, hint: SessionsChanged): Promise<void> => {
  // The one stream numbered by Redis itself: many producers without a common counter, and a lost hint only costs a refresh.
  await redis.xadd(keys.hints, "MAXLEN", "~", HINTS_KEPT, "*", "d", JSON.stringify(hint));
};

/** A hint as it stands in the stream; what cannot be read means that everything may have changed. */
export const parseHint = (text: string): SessionsChanged => {
  try {
    return SESSIONS_CHANGED_SCHEMA.parse(JSON.parse(text));
  } catch {
    return {};
  }
};

/** One hint for two: a field survives only when both agree on it, so the scope never narrows. */
export const widenHint = (a: SessionsChanged, b: SessionsChanged): SessionsChanged => ({
  ...(a.session_id !== undefined && a.session_id === b.session_id ? { session_id: a.session_id } : {}),
  ...(a.profile !== undefined && a.profile === b.profile ? { profile: a.profile } : {}),
});

const HINTS_KEPT = 256;
