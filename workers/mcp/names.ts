import { createHash } from "node:crypto";

/** What providers accept as the name of a tool. */
const MAX_CHARS = 64;
const MAX_LABEL_CHARS = 28;

/**
 * How each server is called in the names of its tools. It depends on the names in the configuration alone, not on which
 * servers can be reached: a call that was recorded before a crash must not reach another server after it. Two servers get
 * different labels, and where `a` and `a_b` could both have made `mcp_a_b_…`, the longer one is marked.
 */
export const serverLabels = (names: readonly string[]): ReadonlyMap<string, string> => {
  const plain = new Map(names.map((name) => [name, fitted(name, MAX_LABEL_CHARS)]));
  const shadowed = (name: string, label: string): boolean =>
    names.some((other) => other !== name && label.startsWith(`${plain.get(other)}_`));
  return new Map(
    [...plain].map(([name, label]) => [
      name,
      shadowed(name, label) ? marked(label, name, MAX_LABEL_CHARS) : label,
    ]),
  );
};

/** `mcp_<server>_<tool>`: the same for the same tool, whatever else the server offers. */
export const toolName = (label: string, tool: string): string => {
  const prefix = `mcp_${label}_`;
  return prefix + fitted(tool, MAX_CHARS - prefix.length);
};

/** The name itself where it fits; otherwise what is left of it and a mark, so that two never become one. */
const fitted = (name: string, most: number): string => {
  const clean = name.replaceAll(/[^A-Za-z0-9_-]/g, "_");
  return clean === name && name.length <= most && name !== "" ? name : marked(clean, name, most);
};

const marked = (clean: string, name: string, most: number): string => {
  const mark = createHash("sha256").update(name).digest("hex").slice(0, 8);
  return `${clean.slice(0, most - mark.length - 1)}_${mark}`;
};
