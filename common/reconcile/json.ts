import { isRow } from "./row.ts";

/** JSON text with sorted keys: equal for values that differ only in key order (R5). */
export const stableJson = (value: unknown): string => JSON.stringify(sorted(value)) ?? "null";

/** The value behind JSON text that may be encoded more than once (foreign importers); undefined if it is no JSON. */
export const parseNested = (text: string): unknown => {
  let value: unknown = text;
  for (let layer = 0; layer < 3 && typeof value === "string"; layer++) {
    try {
      value = JSON.parse(value);
    } catch {
      return layer === 0 ? undefined : value;
    }
  }
  return value;
};

const sorted = (value: unknown): unknown => {
  if (typeof value === "bigint") return String(value);
  if (Array.isArray(value)) return value.map(sorted);
  if (!isRow(value)) return value;
  return Object.fromEntries(
    Object.keys(value)
      .sort()
      .map((key) => [key, sorted(value[key])]),
  );
};
