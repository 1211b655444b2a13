/** A code block that nothing in `text` can end: its fence is longer than any run of backticks inside. */
export const fenced = (text: string, language = ""): string => {
  const fence = "`".repeat(Math.max(3, longestRun(text) + 1));
  return `${fence}${language}\n${text}${text.endsWith("\n") || text === "" ? "" : "\n"}${fence}`;
};

/** Code inside a line, by the same rule. Expects one line. */
export const codeSpan = (text: string): string => {
  if (text === "") return "";
  const mark = "`".repeat(longestRun(text) + 1);
  const space = /^[` ]|[` ]$/.test(text) ? " " : "";
  return mark + space + text + space + mark;
};

/** Makes every character of one line that Markdown could read as markup stand for itself. */
export const escapeInline = (text: string): string => text.replace(/[\\`*_{}[\]<>&~|!$#]/g, "\\$&");

const longestRun = (text: string): number => {
  let longest = 0;
  for (const [run] of text.matchAll(/`+/g)) longest = Math.max(longest, run.length);
  return longest;
};
