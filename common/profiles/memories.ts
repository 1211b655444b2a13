import { messageOf } from "../base/errors.ts";
import { listInside } from "./inside.ts";
import { readProfileFile } from "./read.ts";
import { cutText, lenientText, type Told } from "./texts.ts";

const MAX_MEMORY_BYTES = 32 * 1024;
const MAX_FILES = 50;
/** Hermes' two files come first. */
const FIRST = ["MEMORY.md", "USER.md"];

/** The notes of `memories/*.md` in one text: `MEMORY.md`, `USER.md`, then the others by name; 32 KB together. */
export const readMemories = async (home: string): Promise<Told> => {
  const warnings: string[] = [];
  const names = (await listInside(home, "memories"))
    .filter(({ name }) => name.endsWith(".md") && !name.startsWith("."))
    .map(({ name }) => name);
  const ordered = [
    ...FIRST.filter((name) => names.includes(name)),
    ...names.filter((name) => !FIRST.includes(name)),
  ];
  if (ordered.length > MAX_FILES) warnings.push(`memories/: only the first ${MAX_FILES} files are used`);
  const notes: string[] = [];
  for (const name of ordered.slice(0, MAX_FILES)) {
    const what = `memories/${name}`;
    try {
      const found = await readProfileFile({
        ...{ folder: home, file: what, what, maxBytes: MAX_MEMORY_BYTES + 1 },
        ...{ cut: true, links: "inside" },
      });
      const text = lenientText(found?.bytes).trim();
      if (text !== "") notes.push(`## ${name}\n\n${text}`);
    } catch (error) {
      warnings.push(messageOf(error));
    }
  }
  if (notes.length === 0) return { text: "", warnings };
  const text = `# What you remember\n\n${notes.join("\n\n")}`;
  return { text: cutText(text, MAX_MEMORY_BYTES, "memories/"), warnings };
};
