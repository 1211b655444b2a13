import { TalariaError } from "../base/errors.ts";

/** Cursor of a keyset page: the sort values of the last row given out. Opaque to clients. */
export const encodePageCursor = (values: readonly (string | number)[]): string =>
  Buffer.from(JSON.stringify(values)).toString("base64url");

/** The values again; throws `invalid_request` for anything this server did not give out. */
export const decodePageCursor = (
  cursor: string,
  types: readonly ("string" | "number")[],
): (string | number)[] => {
  let values: unknown;
  try {
    values = JSON.parse(Buffer.from(cursor, "base64url").toString("utf8"));
  } catch {
    values = null;
  }
  const fits =
    Array.isArray(values) &&
    values.length === types.length &&
    values.every((value, i) =>
      types[i] === "string" ? typeof value === "string" : typeof value === "number",
    );
  if (!fits) throw new TalariaError("invalid_request", "the cursor is not one of this list");
  return values as (string | number)[];
};

/** The same for a list by time and id; without a cursor it begins at `first`. Throws `invalid_request`, too. */
export const decodeTimeCursor = (cursor: string | undefined, first: number): readonly [number, string] => {
  if (cursor === undefined) return [first, ""];
  const [at, id] = decodePageCursor(cursor, ["number", "string"]);
  return [Number(at), String(id)];
};

/** A page of rows, of which one more than `limit` was asked for: where it is there, so is a next page. `keyOf`: what the list is sorted by. */
export const pageOf = <Row, Item>(
  rows: readonly Row[],
  limit: number,
  keyOf: (last: Row) => readonly (string | number)[],
  show: (row: Row) => Item,
): { data: Item[]; next_cursor: string | null } => {
  const shown = rows.slice(0, limit);
  const last = shown.at(-1);
  return {
    data: shown.map(show),
    next_cursor: rows.length > limit && last !== undefined ? encodePageCursor(keyOf(last)) : null,
  };
};
