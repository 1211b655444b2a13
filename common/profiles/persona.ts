import { MAX_SOUL_BYTES } from "../contracts/profile-rules.ts";
import type { ProfileFiles } from "./files.ts";
import { readMemories } from "./memories.ts";
import type { ProfileSettings } from "./settings.ts";
import { readSkills, skillIndex } from "./skills.ts";
import { cutText, type Told } from "./texts.ts";

/**
 * What the model is told before every conversation, as in a Hermes home: who it is (`SOUL.md`), what it remembers (`memories/`),
 * and which skills there are (`skills/`). Bounded, in a stable order, and only from regular files inside the home; a memory
 * or skill that cannot be read is left out with a warning.
 */
export const readPersona = async (files: ProfileFiles, settings: ProfileSettings): Promise<Told> => {
  const [memories, skills] = await Promise.all([
    readMemories(files.home),
    readSkills(files.home, settings.disabledSkills),
  ]);
  const parts = [
    cutText(files.soul.trim(), MAX_SOUL_BYTES, "SOUL.md"),
    memories.text,
    skillIndex(files.home, skills.skills),
  ];
  return {
    text: parts.filter((part) => part !== "").join("\n\n"),
    warnings: [...memories.warnings, ...skills.warnings],
  };
};
