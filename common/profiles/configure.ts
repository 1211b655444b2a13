import { TalariaError } from "../base/errors.ts";
import { editFiles, type FileEdit } from "./edit.ts";
import { editEnv } from "./env-edit.ts";
import { isSecretName, parseEnvFile, secretsOf } from "./env-file.ts";
import { whatOf } from "./files.ts";
import { type KeyOrigins, type SavedKey, UNCLAIMED } from "./key-origins.ts";
import { originOfName } from "./providers.ts";
import { MAX_CONFIG_BYTES, MAX_ENV_BYTES } from "./read.ts";
import { type ProfileSettings, parseSettings } from "./settings.ts";
import { variablesIn } from "./template.ts";
import { editYaml, type YamlChange } from "./yaml-edit.ts";

/** What an edit changes in `config.yaml` and `.env`. */
export interface ConfigureInput {
  readonly settings: readonly YamlChange[];
  /** A variable of `.env`; null takes it out. */
  readonly variable: { readonly name: string; readonly value: string | null } | null;
}

/**
 * Changes the configuration of a profile, and `others` with it. A key belongs to the origin it was saved for (security-contract 11): where
 * the edit makes the provider's key go elsewhere, by another address or provider or by a variable that the address names, the key
 * is taken out of `.env`, unless the edit brings one. What a file says without us is its owner's decision and stays.
 *
 * Nobody reads an address and a key that do not belong together, whenever this is cut off: the key goes first, then the address
 * comes, then its key (`readFiles` takes care of the reader's side). To be called inside the lock; rejects like `editFiles`.
 */
export const configure = async (
  folder: string,
  name: string,
  input: ConfigureInput,
  others: readonly FileEdit[],
  origins: KeyOrigins,
): Promise<void> => {
  let plan = null as Plan | null;
  const dotenv: FileEdit = {
    ...{ file: ".env", maxBytes: MAX_ENV_BYTES },
    change(text, _what, texts) {
      plan = planOf({ dotenv: text, config: texts("config.yaml") }, name, input, origins);
      return plan.dotenv === text ? null : plan.dotenv;
    },
  };
  await editFiles(folder, name, [dotenv, configEdit(input.settings), ...others], () =>
    origins.remember(plan?.saved ?? []),
  );
  const variable = plan?.later ?? null;
  if (variable !== null)
    await editFiles(folder, name, [
      { ...dotenv, change: (text) => editEnv(text, variable.name, variable.value) },
    ]);
};

/** The edit of `config.yaml`; without settings the file is only read. */
export const configEdit = (settings: readonly YamlChange[]): FileEdit => ({
  ...{ file: "config.yaml", maxBytes: MAX_CONFIG_BYTES },
  change: (text, what) => (settings.length === 0 ? null : withSettings(text, what, settings)),
});

interface Plan {
  /** What `.env` says before `config.yaml` is changed. */
  readonly dotenv: string;
  /** What it says only afterwards. */
  readonly later: { readonly name: string; readonly value: string } | null;
  readonly saved: readonly SavedKey[];
}

interface Texts {
  readonly config: string;
  readonly dotenv: string;
}

const planOf = (texts: Texts, name: string, input: ConfigureInput, origins: KeyOrigins): Plan => {
  const { variable } = input;
  const what = whatOf("config.yaml", name);
  const before = stateOf(texts, what);
  const config =
    input.settings.length === 0 ? texts.config : withSettings(texts.config, what, input.settings);
  demandNoSecretsIn(input.settings, before);
  let dotenv = variable === null ? texts.dotenv : editEnv(texts.dotenv, variable.name, variable.value);
  let after = stateOf({ config, dotenv }, what);
  for (;;) {
    const stranded = after.keys.find((key) => key.name !== variable?.name && !belongs(key, before, origins));
    if (stranded === undefined) break;
    dotenv = editEnv(dotenv, stranded.name, null);
    // The address may have named it.
    after = stateOf({ config, dotenv }, what);
  }
  const moves = before.origin !== after.origin;
  const saved = [
    ...(moves ? before.keys : []),
    ...after.keys.filter((key) => key.name === variable?.name || isUnclaimed(key, origins)),
    ...unclaimed(variable, after),
  ];
  return moves && input.settings.length > 0 && typeof variable?.value === "string"
    ? {
        ...{ dotenv: editEnv(dotenv, variable.name, null), saved },
        later: { name: variable.name, value: variable.value },
      }
    : { dotenv, saved, later: null };
};

const withSettings = (text: string, what: string, settings: readonly YamlChange[]): string =>
  editYaml(text, what, settings, { model: "default" });

interface State {
  readonly env: Readonly<Record<string, string>>;
  readonly settings: ProfileSettings | null;
  readonly origin: string | null;
  /** What the provider may be sent. */
  readonly keys: readonly SavedKey[];
}

/** A file that cannot be understood sends nothing to anybody. */
const stateOf = ({ config, dotenv }: Texts, what: string): State => {
  const { env } = parseEnvFile(dotenv);
  let settings: ProfileSettings;
  try {
    settings = parseSettings(config, env, what);
  } catch {
    return { env, settings: null, origin: null, keys: [] };
  }
  const { keyOrigin: origin, keyNames } = settings;
  const keys = keyNames.flatMap((name) => {
    const value = env[name];
    return value === undefined || origin === null ? [] : [{ name, value, origin }];
  });
  return { env, settings, origin, keys };
};

/**
 * Whether the key may be sent there: it was before the edit, it was saved for it or for whatever comes first, or nobody knows better
 * and its name says so.
 */
const belongs = ({ name, value, origin }: SavedKey, before: State, origins: KeyOrigins): boolean => {
  const known = [
    ...before.keys.filter((key) => key.name === name && key.value === value).map((key) => key.origin),
    ...origins.of(name, value),
  ];
  return known.length > 0
    ? known.includes(origin) || known.includes(UNCLAIMED)
    : originOfName(name) === origin;
};

/** A key that is set while the profile sends none to anybody is for the address that comes next. */
const unclaimed = (variable: ConfigureInput["variable"], { origin }: State): readonly SavedKey[] =>
  origin === null && typeof variable?.value === "string" && isSecretName(variable.name)
    ? [{ name: variable.name, value: variable.value, origin: UNCLAIMED }]
    : [];

const isUnclaimed = ({ name, value }: SavedKey, origins: KeyOrigins): boolean =>
  origins.of(name, value).includes(UNCLAIMED);

/** A key that an address or a model's name holds would be sent along with it, to whomever. */
const demandNoSecretsIn = (changes: readonly YamlChange[], { env, settings }: State): void => {
  const unchanged = [settings?.written.baseUrl, settings?.written.model];
  for (const { path, value } of changes) {
    // Only these are filled in.
    if (path[0] !== "model" || typeof value !== "string" || unchanged.includes(value)) continue;
    const secret = variablesIn(value).find(
      (name) => isSecretName(name) || secretsOf({ [name]: env[name] ?? "" }).length > 0,
    );
    if (secret !== undefined)
      throw new TalariaError(
        "key_refused",
        `${secret} may be named by a setting only by hand, in config.yaml`,
      );
  }
};
