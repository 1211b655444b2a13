/** Collects a child's output in bounded memory: the beginning and the end are kept, the middle is counted. */
export const createOutputBuffer = (limitBytes: number) => {
  const half = Math.floor(limitBytes / 2);
  const head: Buffer[] = [];
  let headBytes = 0;
  let tail: Buffer[] = [];
  let tailBytes = 0;
  let totalBytes = 0;

  return {
    push(chunk: Buffer): void {
      totalBytes += chunk.length;
      const forHead = chunk.subarray(0, half - headBytes);
      if (forHead.length > 0) {
        head.push(Buffer.from(forHead));
        headBytes += forHead.length;
      }
      const forTail = chunk.subarray(forHead.length);
      if (forTail.length === 0) return;
      tail.push(forTail);
      tailBytes += forTail.length;
      // Twice the half before it is cut, so that cutting costs nothing per chunk.
      if (tailBytes > 2 * half) {
        tail = [Buffer.from(Buffer.concat(tail).subarray(-half))];
        tailBytes = half;
      }
    },
    /** What was printed, as clean text. */
    text(): string {
      const end = Buffer.concat(tail).subarray(-half);
      const omitted = totalBytes - headBytes - end.length;
      if (omitted <= 0) return cleanText(Buffer.concat([...head, end]).toString("utf8"));
      const beginning = cleanText(Buffer.concat(head).toString("utf8"));
      return `${beginning}\n[… ${omitted} bytes left out …]\n${cleanText(end.toString("utf8"))}`;
    },
  };
};

/**
 * Terminal text without its control sequences: colours, cursor moves, titles, clipboard writes (OSC 52). What is left
 * is plain characters, tabs and line breaks, so nothing acts on the terminal of whoever prints it later.
 */
export const cleanText = (text: string): string =>
  text.replace(SEQUENCES, "").replace(/\r\n?/g, "\n").replace(CONTROLS, "");

const ESC = "\\u001b";
const SEQUENCES = new RegExp(
  [
    // Strings (OSC, DCS, SOS, PM, APC): up to their terminator, or to the end of the line when it never comes.
    `(?:${ESC}[\\]PX^_]|[\\u009d\\u0090\\u0098\\u009e\\u009f])[^\\u0007\\u001b\\u009c\\n]*(?:\\u0007|${ESC}\\\\|\\u009c)?`,
    // CSI: parameters, intermediates, one final byte.
    `(?:${ESC}\\[|\\u009b)[0-?]*[ -/]*[@-~]?`,
    // Every other escape.
    `${ESC}[ -/]*[0-~]?`,
  ].join("|"),
  "g",
);
/** All controls but tab and line feed. */
const CONTROLS = new RegExp(`[${["\\u0000-\\u0008", "\\u000b-\\u001f", "\\u007f-\\u009f"].join("")}]`, "g");
