/** One dispatched block of the event stream; a block counts only once its blank line has arrived (run-events 10.4). */
export interface Frame {
  /** `<seq>-<generation>`; null on frames that never move a cursor (`reset`, `snapshot`, hints). */
  readonly id: string | null;
  readonly event: string;
  readonly data: Record<string, unknown>;
}

/** Decodes a block; null when its data is no JSON object: such a block shows nothing and moves nothing. */
export const parseFrame = (id: string | undefined, event: string | undefined, data: string): Frame | null => {
  let value: unknown;
  try {
    value = JSON.parse(data);
  } catch {
    return null;
  }
  if (typeof value !== "object" || value === null || Array.isArray(value)) return null;
  return { id: id ?? null, event: event ?? "message", data: value as Record<string, unknown> };
};
