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
