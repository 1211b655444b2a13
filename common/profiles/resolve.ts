import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { parseDocument } from "yaml";
import { z } from "zod";
import { TalariaError } from "../base/errors.ts";
import { parseEnvFile, secretsOf } from "./env-file.ts";
import { profileHome } from "./names.ts";
import type { Profile, ProfileModel } from "./port.ts";

/**
 * Reads a profile's `config.yaml`, `.env` and `SOUL.md`, fresh each time, so an edit counts from the next run on (P-19).
 * The server's own environment is never looked at. Rejects with `profile_not_found`, or with `profile_unavailable` when a
 * file is there and cannot be read or understood (P-6); missing files are empty ones.
 */
export const resolveProfile = async (home: string, name: string): Promise<Profile> => {
  const folder = await profileHome(home, name);
  const read = (file: string): Promise<string> =>
    readText(join(folder, file), `${file} of profile "${name}"`);
  const [config, dotenv, instructions] = await Promise.all([
    read("config.yaml"),
    read(".env"),
    read("SOUL.md"),
  ]);
  const { env, warnings } = parseEnvFile(dotenv);
  const settings = parseSettings(config, env, name);
  return {
    name,
    home: folder,
    env,
    secrets: [...new Set([...secretsOf(env), ...[settings.model.apiKey ?? ""].filter((key) => key !== "")])],
    model: settings.model,
    botName: settings.botName,
    agent: { maxSteps: settings.maxSteps, instructions: instructions.trim() },
    warnings,
  };
};

/** "" for a file that is not there. */
const readText = async (path: string, what: string): Promise<string> => {
  try {
    return await readFile(path, "utf8");
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code ?? "unknown";
    if (code === "ENOENT") return "";
    throw new TalariaError("profile_unavailable", `${what} cannot be read (${code})`, { cause: error });
  }
};

const plain = z.union([z.string(), z.number()]).transform((value) => String(value).trim());
const optional = plain.nullish().transform((value) => (value === "" ? null : (value ?? null)));

/** What we read of the file; it belongs to others as well, so everything else passes by. */
const SettingsSchema = z.object({
  model: z
    .union([
      plain.transform((text) => ({ default: text === "" ? null : text, provider: null, base_url: null })),
      z.object({ default: optional, provider: optional, base_url: optional }),
    ])
    .nullish(),
  bot_name: optional,
  agent: z.object({ max_steps: z.int().min(1).max(10_000).nullish() }).nullish(),
});

const parseSettings = (text: string, env: Readonly<Record<string, string>>, name: string) => {
  const refuse = (reason: string, cause?: unknown): never => {
    throw new TalariaError("profile_unavailable", `config.yaml of profile "${name}" is invalid: ${reason}`, {
      cause,
    });
  };
  const document = parseDocument(text, { prettyErrors: false, logLevel: "silent" });
  const [fault] = document.errors;
  // Position and code only: the message may quote the file.
  if (fault !== undefined) refuse(`${fault.code} at character ${fault.pos[0]}`);
  const parsed = SettingsSchema.safeParse(toPlain(document, refuse) ?? {});
  if (!parsed.success)
    return refuse(parsed.error.issues.map((issue) => issue.path.join(".") || "not a map").join(", "));
  const { model, bot_name: botName, agent } = parsed.data;
  return { model: modelOf(model ?? null, env), botName, maxSteps: agent?.max_steps ?? null };
};

/** Alias bombs and the like throw only here. */
const toPlain = (
  document: ReturnType<typeof parseDocument>,
  refuse: (reason: string, cause?: unknown) => never,
): unknown => {
  try {
    return document.toJS({ maxAliasCount: 100 });
  } catch (error) {
    return refuse("it cannot be expanded", error);
  }
};

/** Variables that hold a provider's key, in order of preference; others: `<PROVIDER>_API_KEY`. */
const KEY_NAMES: Readonly<Record<string, readonly string[]>> = {
  custom: ["OPENAI_API_KEY"],
  openai: ["OPENAI_API_KEY"],
  anthropic: ["ANTHROPIC_API_KEY", "ANTHROPIC_TOKEN"],
};

interface ModelSection {
  readonly default: string | null;
  readonly provider: string | null;
  readonly base_url: string | null;
}

/** native-api "Model of a profile": no provider is `demo`, unless a `base_url` says that it is a server of one's own. */
const modelOf = (section: ModelSection | null, env: Readonly<Record<string, string>>): ProfileModel => {
  const baseUrl = expand(section?.base_url ?? null, env);
  const provider = (section?.provider ?? (baseUrl === null ? "demo" : "custom")).toLowerCase();
  const names = KEY_NAMES[provider] ?? [`${provider.toUpperCase().replaceAll(/[^A-Z0-9]+/g, "_")}_API_KEY`];
  const apiKey = provider === "demo" ? null : (names.map((key) => env[key]).find(Boolean) ?? null);
  return { provider, model: expand(section?.default ?? null, env) ?? "", baseUrl, apiKey };
};

/** `${NAME}` comes from the profile's own variables only, and is empty without one (P-23). */
const expand = (text: string | null, env: Readonly<Record<string, string>>): string | null => {
  const result = text?.replaceAll(/\$\{([A-Za-z_][A-Za-z0-9_]*)\}/g, (_all, name: string) =>
    Object.hasOwn(env, name) ? (env[name] ?? "") : "",
  );
  return result === undefined || result === "" ? null : result;
};
