/** A text as one line: runs of white space and control characters are single spaces, none at the ends. */
export const oneLine = (text: string): string => text.replace(/[\s\p{Cc}\p{Zl}\p{Zp}]+/gu, " ").trim();
