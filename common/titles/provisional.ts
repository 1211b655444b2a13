import { labelOf } from "./line.ts";
import { visibleText } from "./visible-text.ts";

/** The title of a session from its first message on, until a better one is made (background-jobs 1.1). */
const PROVISIONAL_CHARS = 64;

/** The beginning of the first message as one line; null when nothing of it can be read (only files were attached). */
export const provisionalTitle = (firstUserText: string): string | null => {
  const label = labelOf(visibleText(firstUserText), PROVISIONAL_CHARS);
  return label === "" ? null : label;
};
