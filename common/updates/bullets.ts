import { MAX_UPDATE_BULLET_CHARS, type UpdateTarget } from "../contracts/update.ts";
import { labelOf } from "../titles/line.ts";

/** What people will notice, and what is worth knowing besides; plain text. */
export interface UpdateBullets {
  readonly notice: readonly string[];
  readonly worth: readonly string[];
}

const MAX_BULLETS = 8;

/** The two lists in a model's answer; null where there is not one bullet. `cut`: the last line is not whole. */
export const bulletsIn = (answer: string, cut: boolean): UpdateBullets | null => {
  const lines = answer.split("\n");
  const lists = { notice: [] as string[], worth: [] as string[] };
  let into: keyof UpdateBullets | null = null;
  for (const line of cut ? lines.slice(0, -1) : lines) {
    const heading = HEADING.exec(line)?.[1]?.toLowerCase();
    if (heading !== undefined) into = heading === "notice" ? "notice" : "worth";
    else if (into !== null && MARK.test(line)) lists[into].push(line.replace(MARK, ""));
  }
  const found = bounded(lists);
  return found.notice.length + found.worth.length === 0 ? null : found;
};

/** The lists without any model: features and repairs are noticed, the rest is worth knowing. */
export const bulletsOf = (targets: readonly UpdateTarget[]): UpdateBullets => {
  const subjects = targets.flatMap((target) => target.subjects);
  const said = subjects.map((subject) => ({
    noticed: NOTICED.test(subject),
    text: subject.replace(PREFIX, ""),
  }));
  return bounded({
    notice: said.filter(({ noticed }) => noticed).map(({ text }) => text),
    worth: said.filter(({ noticed }) => !noticed).map(({ text }) => text),
  });
};

/** One line each, bounded, none twice in either list, whatever its case (background-jobs 3.1). */
const bounded = ({ notice, worth }: UpdateBullets): UpdateBullets => {
  const known = new Set<string>();
  const only = (texts: readonly string[]): readonly string[] =>
    texts
      .map((text) => labelOf(text.trim(), MAX_UPDATE_BULLET_CHARS))
      .filter((text) => {
        const folded = text.toLowerCase();
        if (text === "" || known.has(folded)) return false;
        known.add(folded);
        return true;
      })
      .slice(0, MAX_BULLETS);
  return { notice: only(notice), worth: only(worth) };
};

const HEADING = /^\W*(notice|worth)\b[^\p{L}]*$/iu;
const MARK = /^\s*(?:[-*•–]|\d{1,2}[.)])\s+/;
const NOTICED = /^(?:feat|fix|perf)(?:\([^)]*\))?!?:/i;
const PREFIX = /^[a-z]+(?:\([^)]*\))?!?:\s*/i;
