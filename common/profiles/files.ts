import { join } from "node:path";
import { TalariaError } from "../base/errors.ts";
import { MAX_SOUL_BYTES } from "../contracts/profile-rules.ts";
import { parseEnvFile } from "./env-file.ts";
import { DEFAULT_PROFILE, profileHome } from "./names.ts";
import {
  MAX_CONFIG_BYTES,
  MAX_ENV_BYTES,
  type ProfileFile,
  type ReadOptions,
  readProfileFile,
  stampOf,
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

/**
 * Rejects with `profile_not_found`, or with `profile_unavailable` when a file is there and cannot be read (P-6). `.env` is one that
 * stood beside this very `config.yaml`: an address and the key of another one never come together (security-contract 11).
 */
export const readFiles = async (home: string, name: string): Promise<ProfileFiles> => {
  const folder = await profileHome(home, name);
  for (let tries = 1; ; tries++) {
    const config = await readFileOf(folder, name, { file: "config.yaml", maxBytes: MAX_CONFIG_BYTES });
    const [dotenv, soul] = await Promise.all([
      readFileOf(folder, name, { file: ".env", maxBytes: MAX_ENV_BYTES }),
      // One byte more than is used, so that a cut is noticed.
      readFileOf(folder, name, { file: "SOUL.md", maxBytes: MAX_SOUL_BYTES + 1, cut: true }),
    ]);
    if ((await stampOf(config?.path ?? join(folder, "config.yaml"))) === (config?.stamp ?? null))
      return {
        ...{ name, home: folder, soul: lenientText(soul?.bytes) },
        config: textOf(config, whatOf("config.yaml", name)),
        dotenv: textOf(dotenv, whatOf(".env", name)),
      };
    if (tries === TRIES)
      throw new TalariaError("profile_unavailable", `${whatOf("config.yaml", name)} changes all the time`);
  }
};

/** A file that is replaced more often than this while it is read is no configuration. */
const TRIES = 20;

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
