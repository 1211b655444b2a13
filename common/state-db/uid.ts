import { createHash } from "node:crypto";

/** A row's identity from what makes it the same in a repeat: 32 hex digits. */
export const deriveUid = (...parts: readonly (string | number)[]): string =>
  createHash("sha256").update(JSON.stringify(parts)).digest("hex").slice(0, 32);
