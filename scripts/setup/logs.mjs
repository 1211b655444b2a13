import { closeSync, mkdirSync, openSync, writeSync } from "node:fs";
import { dirname } from "node:path";
import { rotate } from "./redis.mjs";
import { say } from "./steps.mjs";

const MAX_BYTES = 20 * 1024 * 1024;
const SHOWN_PER_WINDOW = 20;
const WINDOW_MS = 10_000;
const KEPT_LINES = 40;
const MAX_LINE = 64 * 1024;
const LEVELS = { 40: "warning", 50: "error", 60: "fatal" };

/**
 * The log of one child: everything goes to the file (one earlier file is kept, both bounded), warnings and errors also to
 * the terminal, shortened and not more than 20 in 10 s.
 */
export const createChildLog = (name, file) => {
  mkdirSync(dirname(file), { recursive: true });
  rotate(file);
  let fd = openSync(file, "a");
  let written = 0;
  let shown = 0;
  let windowEnd = 0;
  let tail = [];

  const write = (line) => {
    written += writeSync(fd, `${line}\n`);
    if (written < MAX_BYTES) return;
    closeSync(fd);
    rotate(file);
    fd = openSync(file, "a");
    written = 0;
  };
  const show = (text) => {
    const now = Date.now();
    if (now > windowEnd) {
      windowEnd = now + WINDOW_MS;
      shown = 0;
    }
    shown += 1;
    if (shown <= SHOWN_PER_WINDOW) say(`[${name}] ${text.slice(0, 400)}`);
    else if (shown === SHOWN_PER_WINDOW + 1) say(`[${name}] … more in ${file}`);
  };
  const line = (text, isError) => {
    write(text);
    const entry = parseEntry(text);
    if (entry === null ? isError : entry.level >= 40) {
      tail = [...tail, entry === null ? text : summaryOf(entry)].slice(-KEPT_LINES);
      show(entry === null ? text : summaryOf(entry));
    }
  };

  return {
    file,
    /** Last warnings, errors and stderr lines of the current process. */
    tail: () => tail,
    /** Follows a freshly started child. */
    attach: (child) => {
      tail = [];
      for (const [stream, isError] of [
        [child.stdout, false],
        [child.stderr, true],
      ]) {
        let rest = "";
        stream.setEncoding("utf8");
        stream.on("data", (data) => {
          const lines = (rest + data).split("\n");
          rest = (lines.pop() ?? "").slice(-MAX_LINE);
          for (const text of lines) if (text !== "") line(text, isError);
        });
        stream.once("close", () => rest !== "" && line(rest, isError));
      }
    },
  };
};

const parseEntry = (text) => {
  if (!text.startsWith("{")) return null;
  try {
    const entry = JSON.parse(text);
    return typeof entry.level === "number" ? entry : null;
  } catch {
    return null;
  }
};

const summaryOf = (entry) => {
  const about = ["run", "session"].filter((key) => entry[key]).map((key) => ` ${key}=${entry[key]}`);
  const cause = entry.err?.message ? `: ${entry.err.message}` : "";
  return `${LEVELS[entry.level] ?? "error"}: ${entry.msg ?? ""}${cause}${about.join("")}`;
};
