import { visibleText } from "./visible-text.ts";

const MOST_READ = 4_000;

/** As much of a message as a title is judged by; a message may be a megabyte. */
export const readText = (text: string): string => visibleText(text).slice(0, MOST_READ);

/** What was said without code blocks and addresses. */
export const spokenText = (text: string): string =>
  readText(text)
    .normalize("NFC")
    .split("```")
    .filter((_part, index) => index % 2 === 0)
    .join("\n")
    .replace(/\b(?:[a-z][a-z0-9+.-]*:\/\/|www\.)[^\s"'<>）」】。，]+/gi, " ")
    .replace(/\b[\w.+-]+@[\w-]+\.[\w.-]+/g, " ");

/** The words of a language in a message. */
export const proseOf = (text: string): string => proseIn(spokenText(text));

/**
 * The same of what `spokenText` gave: also without inline code, paths, identifiers and the like, which tell nothing about a
 * language.
 */
export const proseIn = (spoken: string): string =>
  spoken.replace(/`[^`\n]*`/g, " ").replace(/[\x21-\x7E]+/g, (run) => (isCode(run) ? " " : run));

/** True for a run of ASCII that is no word of a sentence. */
const isCode = (run: string): boolean => {
  const word = run.replace(/^[("'[]+|[)"'\].,:;!?]+$/g, "");
  return /[{}<>=;\\|_$/#@^*~]|\(\)|::|->|[a-z][A-Z]|[a-z]\.[a-z]|\w\(|\d/.test(word);
};
