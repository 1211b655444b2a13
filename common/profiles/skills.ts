import { join } from "node:path";
import { parseDocument } from "yaml";
import { messageOf } from "../base/errors.ts";
import { oneLine } from "../base/text.ts";
import { listInside } from "./inside.ts";
import { readProfileFile, stampOf } from "./read.ts";
import { cutText, lenientText } from "./texts.ts";

export interface Skill {
  readonly name: string;
  /** One line; may be empty. */
  readonly description: string;
  /** Below `skills/`. */
  readonly path: string;
}

const MAX_INDEX_BYTES = 16 * 1024;
const MAX_SKILLS = 500;
const MAX_ENTRIES = 4000;
/** `skills/<category>/<group>/<name>/SKILL.md`. */
const MAX_DEPTH = 4;
/** Enough of a file for its front matter. */
const HEAD_BYTES = 8 * 1024;
const MAX_DESCRIPTION = 300;
/** Texts about a folder of skills. */
const NO_SKILL = new Set(["README.md", "DESCRIPTION.md", "SKILL.md"]);

/**
 * The skills of a home in a stable order: every folder below `skills/` that has a `SKILL.md`, and `.md` files beside such folders.
 * What lies inside a skill belongs to it and is not looked at; links out of the home are refused.
 */
export const readSkills = async (
  home: string,
  disabled: readonly string[] = [],
): Promise<{ readonly skills: readonly Skill[]; readonly warnings: readonly string[] }> => {
  const warnings: string[] = [];
  const files: { readonly path: string; readonly isFile: boolean }[] = [];
  let seen = 0;

  const visit = async (folder: string, depth: number, inside: boolean): Promise<void> => {
    const entries = await listInside(home, join("skills", folder), inside);
    seen += entries.length;
    const own = folder === "" ? undefined : entries.find(({ name }) => name === "SKILL.md");
    if (own !== undefined) {
      files.push({ path: join(folder, own.name), isFile: own.isFile() });
      return;
    }
    for (const entry of entries) {
      if (seen > MAX_ENTRIES || files.length >= MAX_SKILLS || entry.name.startsWith(".")) continue;
      const path = join(folder, entry.name);
      if (entry.name.endsWith(".md")) {
        if (depth < 2 && !NO_SKILL.has(entry.name)) files.push({ path, isFile: entry.isFile() });
      } else if (!entry.isFile() && depth < MAX_DEPTH) await visit(path, depth + 1, entry.isDirectory());
    }
  };
  await visit("", 0, false);
  if (seen > MAX_ENTRIES || files.length >= MAX_SKILLS)
    warnings.push("skills/: there are too many to list them all");

  const skills = await Promise.all(
    files.map(async ({ path, isFile }): Promise<Skill[]> => {
      try {
        return [await readSkill(home, path, isFile)];
      } catch (error) {
        warnings.push(messageOf(error));
        return [];
      }
    }),
  );
  return { skills: skills.flat().filter(({ name }) => !disabled.includes(name)), warnings: warnings.sort() };
};

/** What was read of files that did not change since: a home may have hundreds, and every run asks. */
const known = new Map<string, { readonly stamp: string; readonly skill: Skill }>();
const MAX_KNOWN = 10_000;

const readSkill = async (home: string, path: string, isFile: boolean): Promise<Skill> => {
  const what = `skills/${path}`;
  const place = join(home, what);
  // A link is the same while what it leads to changes.
  const stamp = isFile ? await stampOf(place) : null;
  const before = known.get(place);
  if (stamp !== null && before?.stamp === stamp) return before.skill;
  const found = await readProfileFile({
    ...{ folder: home, file: what, what, maxBytes: HEAD_BYTES, cut: true, links: "inside" },
  });
  const skill = describe(path, lenientText(found?.bytes));
  if (found !== null && found.stamp === stamp) {
    if (known.size >= MAX_KNOWN) known.clear();
    known.set(place, { stamp, skill });
  }
  return skill;
};

/** What the model is told of the skills: where they are, what each is for; it reads one when it needs it. */
export const skillIndex = (home: string, skills: readonly Skill[]): string => {
  if (skills.length === 0) return "";
  const lines = skills.map(
    ({ name, description, path }) => `- ${name}${description === "" ? "" : `: ${description}`} (${path})`,
  );
  const head = `# Skills

Instructions for certain tasks. When one of them fits what you are asked, first read its file, below ${join(home, "skills")}, in the terminal.
`;
  return cutText(`${head}\n${lines.join("\n")}`, MAX_INDEX_BYTES, "the list of skills");
};

const describe = (path: string, text: string): Skill => {
  const folder = path.endsWith("/SKILL.md")
    ? path.slice(0, -"/SKILL.md".length)
    : path.slice(0, -".md".length);
  const usual = folder.slice(folder.lastIndexOf("/") + 1);
  const header = frontMatter(text);
  return {
    name: shortLine(header.name, 64) || shortLine(usual, 64),
    description: shortLine(header.description, MAX_DESCRIPTION),
    path,
  };
};

const frontMatter = (text: string): { readonly name?: unknown; readonly description?: unknown } => {
  const header = /^---[ \t]*\r?\n([\s\S]*?)\r?\n---[ \t]*(\r?\n|$)/.exec(text)?.[1];
  if (header === undefined) return {};
  try {
    const document = parseDocument(header, { prettyErrors: false, logLevel: "silent" });
    const value: unknown = document.errors.length > 0 ? null : document.toJS({ maxAliasCount: 10 });
    return typeof value === "object" && value !== null ? value : {};
  } catch {
    return {};
  }
};

const shortLine = (value: unknown, max: number): string => {
  const text = typeof value === "string" ? oneLine(value) : "";
  return text.length > max ? `${text.slice(0, max - 1).trimEnd()}…` : text;
};
