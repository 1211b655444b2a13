import { mkdir, open } from "node:fs/promises";
import { join } from "node:path";
import { withoutVariables } from "./env-edit.ts";
import { isBlockedName, parseEnvFile } from "./env-file.ts";
import { readFileOf, whatOf } from "./files.ts";
import { MAX_CONFIG_BYTES, MAX_ENV_BYTES, MAX_WRITTEN_SOUL_BYTES, textOf } from "./read.ts";
import { parseSettings } from "./settings.ts";
import { editYaml } from "./yaml-edit.ts";

/** A file of a profile that does not exist yet. */
export interface SeedFile {
  readonly file: string;
  readonly bytes: Uint8Array;
  readonly mode: number;
}

/** The section of the root's config.yaml that is the server's own. */
const SERVER_SECTION = "talaria";

/**
 * What a clone begins with: `config.yaml`, `.env` and `SOUL.md` of another profile with all their comments. What belongs to the
 * server stays behind: the section `talaria`, and variables that a profile may not set. Rejects with
 * `profile_unavailable` when one of them cannot be understood.
 */
export const seedFrom = async (folder: string, name: string): Promise<readonly SeedFile[]> => {
  const read = (file: string, maxBytes: number) => readFileOf(folder, name, { file, maxBytes });
  const [config, dotenv, soul] = await Promise.all([
    read("config.yaml", MAX_CONFIG_BYTES),
    read(".env", MAX_ENV_BYTES),
    read("SOUL.md", MAX_WRITTEN_SOUL_BYTES),
  ]);
  const seeds: SeedFile[] = [];
  const what = whatOf("config.yaml", name);
  const variables = textOf(dotenv, whatOf(".env", name));
  if (config !== null) {
    const text = textOf(config, what);
    parseSettings(text, parseEnvFile(variables).env, what);
    const own = new RegExp(`^["']?${SERVER_SECTION}\\b`, "m").test(text)
      ? editYaml(text, what, [{ path: [SERVER_SECTION], value: null }])
      : text;
    seeds.push({ file: "config.yaml", bytes: Buffer.from(own), mode: config.mode });
  }
  if (dotenv !== null)
    seeds.push({ file: ".env", bytes: Buffer.from(withoutVariables(variables, isBlockedName)), mode: 0o600 });
  if (soul !== null) seeds.push({ file: "SOUL.md", bytes: soul.bytes, mode: soul.mode });
  return seeds;
};

/** Makes the folder (0700) with these files in it, all of them on the disk. */
export const plant = async (folder: string, seeds: readonly SeedFile[]): Promise<void> => {
  await mkdir(folder, { mode: 0o700 });
  for (const { file, bytes, mode } of seeds) {
    const handle = await open(join(folder, file), "wx", mode);
    try {
      await handle.writeFile(bytes);
      await handle.chmod(mode);
      await handle.sync();
    } finally {
      await handle.close();
    }
  }
};
