/**
 * Text as it may stand in a document: lines end with LF, colours of terminals are dropped, other control characters and
 * halves of surrogate pairs become U+FFFD. Nothing visible is lost, and no reader stumbles over what is left.
 */
export const cleanText = (text: string): string =>
  text.toWellFormed().replace(/\r\n?/g, "\n").replace(TERMINAL_STYLE, "").replace(CONTROL, "\ufffd");

/** The same on one line, for titles, names and ids. */
export const cleanLine = (text: string): string =>
  cleanText(text)
    .replace(/[\s\p{Zl}\p{Zp}]+/gu, " ")
    .trim();

/** Epoch seconds as `2026-11-24 18:44:40 UTC`; what lies outside of the calendar has no text. */
export const timeText = (seconds: number): string => {
  const iso = isoTime(seconds);
  return iso === null ? "unknown time" : `${iso.slice(0, 10)} ${iso.slice(11, 19)} UTC`;
};

export const isoTime = (seconds: number): string | null => {
  const date = new Date(seconds * 1000);
  return Number.isNaN(date.getTime()) || date.getUTCFullYear() > 9999 || date.getUTCFullYear() < 0
    ? null
    : date.toISOString();
};

/** A call's arguments for people: indented where they are JSON, else as the model wrote them. */
export const readableArguments = (text: string): string => {
  if (text.length > MAX_INDENTED) return text;
  try {
    return JSON.stringify(JSON.parse(text), null, 2);
  } catch {
    return text;
  }
};

const MAX_INDENTED = 200_000;
const TERMINAL_STYLE = new RegExp(`${String.fromCharCode(27)}\\[[0-9;]*m`, "g");
const CONTROL = /[^\P{Cc}\n\t]/gu;
