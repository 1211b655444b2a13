import { isTalariaError } from "../base/errors.ts";
import { MASK } from "../base/mask.ts";
import type { ProfileView } from "../contracts/profile.ts";
import { bytesOf, MAX_SOUL_BYTES } from "../contracts/profile-rules.ts";
import { readCard } from "./card.ts";
import { parseFiles, readFiles } from "./files.ts";
import { DEFAULT_PROFILE } from "./names.ts";
import { revisionOf, type Salt } from "./revision.ts";
import { cutText } from "./texts.ts";

/** A profile as people may see it: names of keys, never their values (P-25). What cannot be read says so. */
export const detailsOf = async (
  home: string,
  name: string,
  folder: string,
  salt: Salt,
): Promise<ProfileView> => {
  const { displayName, visible, fault } = await readCard(folder, name);
  const known = { name, display_name: displayName, visible, is_default: name === DEFAULT_PROFILE };
  try {
    const files = await readFiles(home, name);
    const { env, settings } = parseFiles(files);
    const { written, keyNames } = settings;
    const soul = files.soul.trim();
    const names = new Set([...keyNames.slice(0, 1), ...Object.keys(env)]);
    // Any of the provider's names will do.
    if (keyNames.slice(1).some((key) => env[key] !== undefined) && env[keyNames[0] ?? ""] === undefined)
      names.delete(keyNames[0] ?? "");
    return {
      ...known,
      state: "ok",
      message: fault,
      model: {
        provider: written.provider,
        model: written.model,
        base_url: written.baseUrl === null ? null : withoutSecrets(written.baseUrl),
      },
      keys: [...names].sort().map((key) => ({ name: key, set: env[key] !== undefined })),
      bot_name: settings.botName,
      instructions: cutText(soul, MAX_SOUL_BYTES, "SOUL.md"),
      instructions_cut: bytesOf(soul) > MAX_SOUL_BYTES,
      agent: { max_steps: settings.maxSteps },
      limits: settings.limits,
      config_revision: revisionOf(salt, files, env),
    };
  } catch (error) {
    if (!isTalariaError(error, "profile_unavailable")) throw error;
    return {
      ...known,
      ...{ state: "unavailable", message: error.message, model: null, keys: [], bot_name: null },
      ...{ instructions: "", instructions_cut: false, agent: { max_steps: null }, config_revision: null },
      limits: { concurrent_runs: null, runs_per_minute: null },
    };
  }
};

/** User, password and query of an address, where people put keys that belong into `.env`. */
const withoutSecrets = (address: string): string =>
  address.replace(/^([a-z]+:\/\/)[^/@]*@/i, `$1${MASK}@`).replace(/[?#].*$/s, `?${MASK}`);
