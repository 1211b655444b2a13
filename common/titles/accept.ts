import { isEcho } from "./echo.ts";
import { isOtherLanguage } from "./language.ts";
import { isLeaked } from "./leaked.ts";
import { isOtherScript } from "./other-script.ts";

export type TitleFault = "empty" | "leaked_reasoning" | "echo" | "other_script" | "wrong_language";

export type Verdict =
  | { readonly accepted: true; readonly title: string }
  | { readonly accepted: false; readonly reason: TitleFault };

/**
 * Whether a cleaned candidate (`cleanTitle`) may name a conversation that began with `userText` (background-jobs 1.3, B-15).
 * Only generated titles are judged, never what a person typed (B-10). In doubt it is accepted.
 */
export const acceptTitle = (candidate: string, userText: string): Verdict => {
  const fault = faultOf(candidate, userText);
  return fault === null ? { accepted: true, title: candidate } : { accepted: false, reason: fault };
};

const faultOf = (candidate: string, userText: string): TitleFault | null => {
  if (!/[\p{L}\p{N}]/u.test(candidate)) return "empty";
  if (isEcho(candidate)) return "echo";
  if (isLeaked(candidate, userText)) return "leaked_reasoning";
  if (isOtherScript(candidate, userText)) return "other_script";
  if (isOtherLanguage(candidate, userText)) return "wrong_language";
  return null;
};
