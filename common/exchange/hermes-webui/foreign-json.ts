/**
 * JSON as Python writes it: perhaps after a byte order mark, with NaN and Infinity where a number was none (they become
 * null). Undefined if it is no JSON even so.
 */
export const parseForeignJson = (text: string): unknown => {
  const bare = text.startsWith("\ufeff") ? text.slice(1) : text;
  const value = parse(bare);
  return value === undefined && /NaN|Infinity/.test(bare) ? parse(withoutNonNumbers(bare)) : value;
};

const parse = (text: string): unknown => {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return undefined;
  }
};

/** Strings are stepped over, so that a message may speak of NaN. */
const withoutNonNumbers = (text: string): string => {
  const piece = /"|-?Infinity|NaN/g;
  let result = "";
  let from = 0;
  for (let found = piece.exec(text); found !== null; found = piece.exec(text)) {
    if (found[0] === '"') {
      piece.lastIndex = endOfString(text, piece.lastIndex);
      continue;
    }
    result += `${text.slice(from, found.index)}null`;
    from = piece.lastIndex;
  }
  return result + text.slice(from);
};

const endOfString = (text: string, start: number): number => {
  for (let at = start; at < text.length; at++) {
    const character = text[at];
    if (character === '"') return at + 1;
    if (character === "\\") at++;
  }
  return text.length;
};
