import { createHash } from "node:crypto";
import type { UpdateTarget } from "../contracts/update.ts";

/** The same range of every component has the same key, whoever asks (background-jobs 3.1). */
export const cacheKeyOf = (targets: readonly UpdateTarget[]): string => {
  const ranges = targets.map(({ name, behind, current, latest, compare_url }) => [
    ...[name, behind, current, latest, compare_url],
  ]);
  return createHash("sha256").update(JSON.stringify(ranges)).digest("hex");
};
