/** At most `maxBytes` of UTF-8, ending with a whole line and a note when something is missing. */
export const cutText = (text: string, maxBytes: number, what: string): string => {
  const bytes = new TextEncoder().encode(text);
  if (bytes.length <= maxBytes) return text;
  const note = `\n[${what} is longer than what is shown here]`;
  const room = Math.max(0, maxBytes - note.length);
  const head = new TextDecoder("utf-8").decode(bytes.subarray(0, room)).replace(/\uFFFD$/, "");
  const end = head.lastIndexOf("\n");
  // One endless line is cut inside.
  return (end > room / 2 ? head.slice(0, end) : head) + note;
};

/** For prose: a broken character, also one that a limit cut in two, is replaced and stops nobody. */
export const lenientText = (bytes: Uint8Array | undefined): string =>
  bytes === undefined ? "" : new TextDecoder("utf-8").decode(bytes);

/** A part of what the model is told, and what had to be left out of it. */
export interface Told {
  readonly text: string;
  readonly warnings: readonly string[];
}
