/**
 * Canonical time in epoch seconds, or null for *no time* (R24). Numbers and numeric strings are seconds, ISO-8601 needs
 * a zone; null, "", booleans, NaN and garbage are no time; 0 is a time.
 */
export const canonicalTime = (value: unknown): number | null => {
  if (typeof value === "bigint") return Number(value);
  if (typeof value === "number") return Number.isFinite(value) ? value : null;
  if (typeof value !== "string") return null;
  const text = value.trim();
  if (DECIMAL.test(text)) {
    const number = Number(text);
    return Number.isFinite(number) ? number : null;
  }
  return isoSeconds(text);
};

const DECIMAL = /^[+-]?(\d+(\.\d*)?|\.\d+)(e[+-]?\d+)?$/i;
const ISO = /^(\d{4})-(\d\d)-(\d\d)[T ](\d\d):(\d\d)(?::(\d\d)([.,]\d+)?)?\s?(?:(Z)|([+-])(\d\d):?(\d\d)?)$/i;

const isoSeconds = (text: string): number | null => {
  const match = ISO.exec(text);
  if (match === null) return null;
  const at = (index: number): number => Number(match[index] ?? 0);
  const [month, day, hour, minute, second] = [at(2), at(3), at(4), at(5), at(6)];
  const midnight = new Date(0);
  midnight.setUTCFullYear(at(1), month - 1, day);
  if (midnight.getUTCMonth() !== month - 1 || midnight.getUTCDate() !== day) return null;
  if (hour > 23 || minute > 59 || second > 59 || at(10) > 23 || at(11) > 59) return null;
  const fraction = match[7] === undefined ? 0 : Number(`0.${match[7].slice(1)}`);
  const offset = (at(10) * 60 + at(11)) * 60 * (match[9] === "-" ? -1 : 1);
  return midnight.getTime() / 1000 + hour * 3600 + minute * 60 + second - offset + fraction;
};
