import { MAX_SOUL_BYTES } from "../contracts/profile.ts";
import { parseEnvFile } from "./env-file.ts";
import { DEFAULT_PROFILE, profileHome } from "./names.ts";
import {
  MAX_CONFIG_BYTES,
  MAX_ENV_BYTES,
  type ProfileFile,
  type ReadOptions,
  readProfileFile,
  textOf,
} from "./read.ts";
import { type ProfileSettings, parseSettings } from "./settings.ts";
import { lenientText } from "./texts.ts";

/** The texts that make a profile what it is; missing files are empty ones. */
export interface ProfileFiles {
  readonly name: string;
  readonly home: string;
  readonly config: string;
  readonly dotenv: string;
  /** May be cut, see `cutText`. */
  readonly soul: string;
}

/** Rejects with `profile_not_found`, or with `profile_unavailable` when a file is there and cannot be read (P-6). */
export const readFiles = async (home: string, name: string): Promise<ProfileFiles> => {
  const folder = await profileHome(home, name);
  const read = async (file: string, maxBytes: number, cut = false): Promise<string> => {
    const found = await readFileOf(folder, name, { file, maxBytes, cut });
    return cut ? lenientText(found?.bytes) : textOf(found, whatOf(file, name));
  };
  const [config, dotenv, soul] = await Promise.all([
    read("config.yaml", MAX_CONFIG_BYTES),
    read(".env", MAX_ENV_BYTES),
    // One byte more than is used, so that a cut is noticed.
    read("SOUL.md", MAX_SOUL_BYTES + 1, true),
  ]);
  return { name, home: folder, config, dotenv, soul };
};

/** `readProfileFile` as this profile may read: only a link of the owner's own home may lead elsewhere (P-1). */
export const readFileOf = (
  folder: string,
  name: string,
  options: Pick<ReadOptions, "file" | "maxBytes" | "cut">,
): Promise<ProfileFile | null> =>
  readProfileFile({
    ...options,
    folder,
    what: whatOf(options.file, name),
    links: name === DEFAULT_PROFILE ? "anywhere" : "inside",
  });

export interface ParsedFiles {
  readonly env: Readonly<Record<string, string>>;
  readonly warnings: readonly string[];
  readonly settings: ProfileSettings;
}

export const parseFiles = ({ name, config, dotenv }: ProfileFiles): ParsedFiles => {
  const { env, warnings } = parseEnvFile(dotenv);
  const settings = parseSettings(config, env, whatOf("config.yaml", name));
  return { env, warnings: [...warnings, ...settings.warnings], settings };
};

/** How a file is called in messages. */
export const whatOf = (file: string, name: string): string => `${file} of profile "${name}"`;
