import type { Session } from "../contracts/session.ts";

export type ExportFormat = "json" | "markdown" | "html";

/** What an export is sent as. */
export const EXPORT_TYPES: Readonly<Record<ExportFormat, string>> = {
  json: "application/json; charset=utf-8",
  markdown: "text/markdown; charset=utf-8",
  html: "text/html; charset=utf-8",
};

/**
 * The file name of an export: lower-case ASCII letters, digits and hyphens, so that it needs no quoting in a header and
 * is a plain file on every system. The end of the session's id keeps sessions of one title apart.
 */
export const exportName = (session: Pick<Session, "id" | "title">, format: ExportFormat): string => {
  const words = slug(session.title ?? "").slice(0, MAX_WORDS);
  const id = slug(session.id).slice(-ID_CHARS);
  return `${[words || "session", id].map(trimHyphens).filter(Boolean).join("-")}.${EXTENSIONS[format]}`;
};

const EXTENSIONS: Readonly<Record<ExportFormat, string>> = { json: "json", markdown: "md", html: "html" };
const MAX_WORDS = 60;
const ID_CHARS = 8;

/** Accents are dropped, everything else that is no ASCII letter or digit becomes a hyphen. */
const slug = (text: string): string =>
  trimHyphens(
    text
      .normalize("NFKD")
      .replace(/\p{M}+/gu, "")
      .toLowerCase()
      .replaceAll("ß", "ss")
      .replace(/[^a-z0-9]+/g, "-"),
  );

const trimHyphens = (text: string): string => text.replace(/^-|-$/g, "");
