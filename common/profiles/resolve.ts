import type { RunLimits } from "../contracts/profile.ts";
import { secretsOf } from "./env-file.ts";
import { type ParsedFiles, parseFiles, readFiles } from "./files.ts";
import { mcpSecrets } from "./mcp-servers.ts";
import { readPersona } from "./persona.ts";
import type { Profile } from "./port.ts";
import { revisionOf, type Salt } from "./revision.ts";

/**
 * Reads a profile's `config.yaml`, `.env`, persona, memories and skills, fresh each time, so an edit counts from the next run on
 * (P-19). The server's own environment is never looked at. Rejects with `profile_not_found`, or with `profile_unavailable`
 * when `config.yaml`, `.env` or `SOUL.md` is there and cannot be read or understood (P-6); missing files are empty ones.
 */
export const resolveProfile = async (
  home: string,
  name: string,
  salt: Salt | null = null,
): Promise<Profile> => {
  const files = await readFiles(home, name);
  const parsed = parseFiles(files);
  const { env, settings } = parsed;
  const persona = await readPersona(files, settings);
  return {
    name,
    home: files.home,
    env,
    secrets: profileSecrets(parsed),
    model: settings.model,
    botName: settings.botName,
    agent: { maxSteps: settings.maxSteps, instructions: persona.text },
    mcp: settings.mcp,
    auxiliary: settings.auxiliary,
    context: settings.context,
    revision: salt === null ? null : revisionOf(salt, files, env),
    warnings: [...parsed.warnings, ...persona.warnings],
  };
};

/** What a run is accepted with: the profile's configuration revision and limits; rejects like `resolveProfile`. */
export const profileTerms = async (
  home: string,
  name: string,
  salt: Salt,
): Promise<{ readonly revision: string; readonly limits: RunLimits }> => {
  const files = await readFiles(home, name);
  const { env, settings } = parseFiles(files);
  return { revision: revisionOf(salt, files, env), limits: settings.limits };
};

/** What must be shown nowhere. */
export const profileSecrets = ({ env, settings }: ParsedFiles): readonly string[] => [
  ...new Set(
    [
      ...secretsOf(env),
      ...[settings.model, ...Object.values(settings.auxiliary).map(({ model }) => model)].map(
        (model) => model?.apiKey ?? "",
      ),
      ...mcpSecrets(settings.mcp),
    ].filter((key) => key !== ""),
  ),
];
