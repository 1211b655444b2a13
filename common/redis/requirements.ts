import type { Redis } from "ioredis";
import { TalariaError } from "../base/errors.ts";

/**
 * Refuses a Redis that may drop what it was given: any eviction policy but `noeviction`, or no append-only file
 * (reliability, settings). A server that hides its configuration (managed ones do) is trusted.
 */
export const assertUsableRedis = async (redis: Redis): Promise<void> => {
  const setting = async (name: string): Promise<string | null> => {
    try {
      const reply = (await redis.config("GET", name)) as unknown;
      return Array.isArray(reply)
        ? String(reply[1] ?? "")
        : ((reply as Record<string, string>)[name] ?? null);
    } catch (error) {
      if (/unknown command|no permissions|NOPERM/i.test(String(error))) return null;
      throw error;
    }
  };
  const [policy, appendOnly] = await Promise.all([setting("maxmemory-policy"), setting("appendonly")]);
  const problems: string[] = [];
  if (policy !== null && policy !== "noeviction") {
    problems.push(`maxmemory-policy is ${policy}: runs could vanish; set it to noeviction`);
  }
  if (appendOnly === "no")
    problems.push("appendonly is no: a crash would lose queued work's wake-ups and live text; set it to yes");
  if (problems.length > 0) {
    throw new TalariaError("config_invalid", problems.map((problem) => `REDIS_URL: ${problem}`).join("\n"));
  }
};
