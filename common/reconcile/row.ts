/** One message of either side, as read: fields this room does not know pass through untouched. */
export type Row = Readonly<Record<string, unknown>>;

/** True for what can be a row; strings, numbers, null and lists are skipped by the merge (c.1). */
export const isRow = (value: unknown): value is Row =>
  typeof value === "object" && value !== null && !Array.isArray(value);

/** A copy that shares nothing mutable with `row` (c.1, P12). Rows are JSON-like values. */
export const copyRow = (row: Row): Record<string, unknown> => copyFields(row);

/** True where a field says nothing: absent, undefined or null. */
export const isAbsent = (value: unknown): value is null | undefined => value === undefined || value === null;

const copyFields = (fields: Readonly<Record<string, unknown>>): Record<string, unknown> =>
  Object.fromEntries(Object.entries(fields).map(([key, value]) => [key, copyValue(value)]));

const copyValue = (value: unknown): unknown => {
  if (Array.isArray(value)) return value.map(copyValue);
  return isRow(value) ? copyFields(value) : value;
};
