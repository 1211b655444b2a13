import { parseEnv } from "node:util";
import { TalariaError } from "../base/errors.ts";

/**
 * The text of a `.env` with one variable set, or with `null` removed; every other line, comments included, stays as it is (P-3).
 * Throws `key_refused` for a value that not every reader of such files would read the same, and `profile_unavailable`
 * for a file in which the line cannot be told apart.
 */
export const editEnv = (text: string, name: string, value: string | null): string => {
  const written = value === null ? null : quoted(value);
  const lines = text.split("\n");
  const eol = text.includes("\r\n") ? "\r\n" : "\n";
  const found = definitionsIn(lines).filter((one) => one.name === name);
  const last = found.at(-1);
  const kept = lines.flatMap((line, index) => {
    const at = found.find(({ from, to }) => index >= from && index <= to);
    if (at === undefined) return [line];
    if (at !== last || index !== at.from || written === null) return [];
    const end = (lines[at.to] ?? "").endsWith("\r") ? "\r" : "";
    return [`${at.lead}${name}=${written}${at.comment}${end}`];
  });
  let edited = kept.join("\n");
  if (last === undefined && written !== null) {
    if (edited !== "" && !edited.endsWith("\n")) edited += eol;
    edited += `${name}=${written}${eol}`;
  }
  demandOnlyChange(text, edited, name, value);
  return edited;
};

/** What `.env` says without the variables that `drop` names. */
export const withoutVariables = (text: string, drop: (name: string) => boolean): string => {
  const names = new Set(definitionsIn(text.split("\n")).map(({ name }) => name));
  return [...names].filter(drop).reduce((rest, name) => editEnv(rest, name, null), text);
};

interface Definition {
  readonly name: string;
  /** First and last line: a quoted value may span several. */
  readonly from: number;
  readonly to: number;
  /** White space and `export` before the name. */
  readonly lead: string;
  readonly comment: string;
}

const DEFINITION = /^(\s*(?:export\s+)?)([A-Za-z_][A-Za-z0-9_]*)\s*=\s*(.*)$/s;

const definitionsIn = (lines: readonly string[]): readonly Definition[] => {
  const found: Definition[] = [];
  for (let from = 0; from < lines.length; from++) {
    const [, lead = "", name = "", rest = ""] = DEFINITION.exec(lines[from] ?? "") ?? [];
    if (name === "") continue;
    const quote = /^["'`]/.exec(rest)?.[0];
    let to = from;
    let comment = /\s#.*$/s.exec(rest)?.[0] ?? "";
    if (quote !== undefined) {
      // Without an end the quote is a character like any other.
      const end = lines.findIndex(
        (line, i) => i >= from && (i > from ? line : rest.slice(1)).includes(quote),
      );
      if (end >= 0) {
        to = end;
        const tail = end === from ? rest.slice(1) : (lines[end] ?? "");
        comment = end === from ? (/^\s+#.*$/s.exec(tail.slice(tail.indexOf(quote) + 1))?.[0] ?? "") : "";
      }
    }
    found.push({ name, from, to, lead, comment: comment.replace(/\r$/, "") });
    from = to;
  }
  return found;
};

/** In the form that Node, python-dotenv and simple readers take alike; what none of the quotes fits is refused. */
const quoted = (value: string): string => {
  const refuse = (why: string): never => {
    throw new TalariaError("key_refused", `the value ${why}`);
  };
  if (value === "") refuse("is empty");
  if (/[\p{Cc}\u2028\u2029]/u.test(value)) refuse("holds a line break or a control character");
  if (!value.isWellFormed()) refuse("is no text");
  if (/^[A-Za-z0-9_./:@%+,=~-]+$/.test(value)) return value;
  if (!/'|\\[\\']|\\$/.test(value)) return `'${value}'`;
  if (!/["\\$]/.test(value)) return `"${value}"`;
  return refuse("mixes quotes and backslashes in a way that programs read differently");
};

/** The new text is read back before anything is written. */
const demandOnlyChange = (before: string, after: string, name: string, value: string | null): void => {
  const expected = { ...parseEnv(before) };
  if (value === null) delete expected[name];
  else expected[name] = value;
  const found = parseEnv(after);
  const names = new Set([...Object.keys(expected), ...Object.keys(found)]);
  if ([...names].some((each) => expected[each] !== found[each]))
    throw new TalariaError(
      "profile_unavailable",
      ".env cannot be changed safely: look for an open quote in it",
    );
};
