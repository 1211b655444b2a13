import { parseDocument } from "yaml";
import { oneLine } from "../base/text.ts";
import { MAX_DISPLAY_NAME } from "../contracts/profile-rules.ts";
import { readFileOf, whatOf } from "./files.ts";
import { textOf } from "./read.ts";

/** What `profile.yaml` says: how a profile is shown. It has no part in runs. */
export interface ProfileCard {
  readonly displayName: string;
  /** False only for exactly `visible: false`. */
  readonly visible: boolean;
  /** Why the file was not used; null: it was, or there is none. */
  readonly fault: string | null;
}

export const MAX_CARD_BYTES = 64 * 1024;

export const readCard = async (folder: string, name: string): Promise<ProfileCard> => {
  const what = whatOf("profile.yaml", name);
  try {
    const file = await readFileOf(folder, name, { file: "profile.yaml", maxBytes: MAX_CARD_BYTES });
    const document = parseDocument(textOf(file, what), { prettyErrors: false, logLevel: "silent" });
    const value: unknown = document.errors.length > 0 ? undefined : document.toJS({ maxAliasCount: 10 });
    if (value === undefined) return { displayName: name, visible: true, fault: `${what} is invalid` };
    const { display_name, visible } = (typeof value === "object" && value !== null ? value : {}) as {
      readonly display_name?: unknown;
      readonly visible?: unknown;
    };
    const text =
      typeof display_name === "string" || typeof display_name === "number" ? `${display_name}` : "";
    const shown = oneLine(text).slice(0, MAX_DISPLAY_NAME).toWellFormed();
    return { displayName: shown === "" ? name : shown, visible: visible !== false, fault: null };
  } catch (error) {
    const fault =
      error instanceof Error && error.message.startsWith(what) ? error.message : `${what} is invalid`;
    return { displayName: name, visible: true, fault };
  }
};
