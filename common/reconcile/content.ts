import { stableJson } from "./json.ts";
import { isRow, type Row } from "./row.ts";

/** What a row's `content` says, independent of how a writer encoded it. */
export interface Content {
  /** Text with its line structure: parts joined by line breaks, images as `[screenshot]`, sentinel decoded. */
  readonly plain: string;
  /** `plain` with white space squashed to single spaces and trimmed: the canonical text (R5). */
  readonly text: string;
  readonly hasImage: boolean;
}

/** Reads text, sentinel text, a list of parts or one part; null says the same as "" (R5). */
export const readContent = (content: unknown): Content => {
  const value = decodeSentinel(content);
  if (typeof value === "string") return { plain: value, text: squash(value), hasImage: false };
  const pieces = (Array.isArray(value) ? value : [value]).map(readPart);
  const plain = pieces.map((piece) => piece.text).join("\n");
  return { plain, text: squash(plain), hasImage: pieces.some((piece) => piece.image) };
};

/** White space runs become one space, none at the ends. */
export const squash = (text: string): string => text.replace(/\s+/g, " ").trim();

/**
 * The texts a prompt of the store may equal: as written, without the leading workspace line, without the trailing list
 * of attached files, without both (R10).
 */
export const storePromptTexts = (plain: string): readonly string[] => {
  if (!plain.includes("]")) return [squash(plain)];
  const bare = withoutWorkspaceLine(plain);
  return [...new Set([plain, bare, withoutAttachments(plain), withoutAttachments(bare)].map(squash))];
};

/** The texts a local prompt may equal: as written and without the trailing list of attached files (R10). */
export const localPromptTexts = (plain: string): readonly string[] =>
  plain.includes("]") ? [...new Set([plain, withoutAttachments(plain)].map(squash))] : [squash(plain)];

/** Word characters only, case-folded, single spaces: how loosely answers of one turn are compared (R12). */
export const looseText = (text: string): string =>
  text
    .normalize("NFC")
    .replace(/[^\p{L}\p{N}_]+/gu, " ")
    .trim()
    .toLowerCase();

/** What a stored text begins with that is an encoded list of parts (a.3). */
export const PARTS_MARK = "\u0000json:";

const decodeSentinel = (content: unknown): unknown => {
  if (typeof content !== "string" || !content.startsWith(PARTS_MARK)) return content;
  try {
    return JSON.parse(content.slice(PARTS_MARK.length));
  } catch {
    return content;
  }
};

interface Piece {
  readonly text: string;
  readonly image: boolean;
}

const readPart = (part: unknown): Piece => {
  if (typeof part === "string") return { text: part, image: false };
  if (part === null || part === undefined) return { text: "", image: false };
  if (!isRow(part)) return { text: stableJson(part), image: false };
  if (isImage(part)) return { text: "[screenshot]", image: true };
  return { text: textOf(part) ?? stableJson(part), image: false };
};

const isImage = (part: Row): boolean =>
  typeof part.type === "string" ? /^(input_|output_)?image(_url)?$/.test(part.type) : "image_url" in part;

const TEXT_TYPES: readonly unknown[] = [undefined, "text", "input_text", "output_text"];

const textOf = (part: Row): string | null =>
  typeof part.text === "string" && TEXT_TYPES.includes(part.type) ? part.text : null;

/** Without the leading line that names a workspace. */
export const withoutWorkspaceLine = (plain: string): string => {
  const start = plain.trimStart();
  if (!start.startsWith("[Workspace::v1:") && !start.startsWith("[Workspace:")) return plain;
  const end = start.indexOf("\n");
  const line = end < 0 ? start : start.slice(0, end);
  if (!line.trimEnd().endsWith("]")) return plain;
  return end < 0 ? "" : start.slice(end + 1);
};

/** Without the trailing list of attached files. */
export const withoutAttachments = (plain: string): string => {
  if (!plain.trimEnd().endsWith("]")) return plain;
  const at = plain.lastIndexOf("[Attached files:");
  return at < 0 ? plain : plain.slice(0, at);
};
