/** True for a map of names to values: an object that is no list and not null, as parsed JSON and YAML have it. */
export const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === "object" && value !== null && !Array.isArray(value);
