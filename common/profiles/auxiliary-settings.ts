import { isRecord } from "../base/record.ts";
import type { Auxiliary, AuxiliarySettings, ProfileModel, TitleSettings } from "./port.ts";
import { keyNamesOf, originOf, originOfName, pickedModel } from "./providers.ts";
import { expandSetting } from "./template.ts";

type Env = Readonly<Record<string, string>>;

export interface ReadAuxiliarySettings {
  readonly auxiliary: Auxiliary;
  /** What was not understood, by name; never a value. */
  readonly warnings: readonly string[];
}

/**
 * Reads `auxiliary:` of a profile's config.yaml: how its background work is done (background-jobs 1.2). That work is a convenience,
 * so what is wrong in it is said in a warning and its default used; it never makes a profile unusable. `main` is the profile's
 * chat model.
 */
export const readAuxiliarySettings = (
  sections: Readonly<Partial<Record<SectionName, unknown>>>,
  env: Env,
  main: ProfileModel,
): ReadAuxiliarySettings => {
  const warnings: string[] = [];
  const read = (name: SectionName, defaultTimeoutS: number) => {
    const path = `auxiliary.${name}`;
    const warn: Warn = (key, why) => void warnings.push(`${key === "" ? path : `${path}.${key}`} ${why}`);
    const section = sections[name];
    const map = isRecord(section) ? section : {};
    if (section !== undefined && section !== null && !isRecord(section)) warn("", "is no map");
    const task: AuxiliarySettings = {
      enabled: isEnabled(map.enabled),
      model: dedicatedModel(textsOf(map, warn), env, main, warn),
      timeoutMs: timeoutOf(map.timeout, defaultTimeoutS),
    };
    return { task, map, warn };
  };
  const titles = read("title_generation", TITLE_TIMEOUT_S);
  return {
    auxiliary: {
      titles: { ...titles.task, refreshEvery: refreshOf(titles.map.refresh_every, titles.warn) },
      compression: read("compression", COMPRESSION_TIMEOUT_S).task,
      summaries: read("summaries", SUMMARY_TIMEOUT_S).task,
    },
    warnings,
  };
};

type SectionName = "title_generation" | "compression" | "summaries";
type Warn = (name: string, why: string) => void;
type Section = Readonly<Record<string, unknown>>;

/** Missing means true; a string counts as true only for 1, true, yes, on. */
const isEnabled = (value: unknown): boolean => {
  if (value === undefined || value === null) return true;
  if (typeof value === "string") return /^(?:1|true|yes|on)$/i.test(value.trim());
  return value === true || value === 1;
};

const TITLE_TIMEOUT_S = 15;
const COMPRESSION_TIMEOUT_S = 60;
const SUMMARY_TIMEOUT_S = 30;
const MAX_TIMEOUT_S = 120;

const timeoutOf = (value: unknown, defaultS: number): number => {
  const seconds = typeof value === "string" && value.trim() !== "" ? Number(value) : value;
  const usable = typeof seconds === "number" && seconds > 0 ? seconds : defaultS;
  return Math.ceil(Math.min(usable, MAX_TIMEOUT_S) * 1000);
};

const REFRESH = [0, 5, 10, 20] as const;

const refreshOf = (value: unknown, warn: Warn): TitleSettings["refreshEvery"] => {
  if (value === undefined || value === null) return 0;
  const found = REFRESH.find((count) => String(count) === String(value).trim());
  if (found === undefined)
    warn("refresh_every", `is none of ${REFRESH.join(", ")}; titles are not refreshed`);
  return found ?? 0;
};

const TEXTS = ["provider", "model", "base_url", "api_key", "api_key_env"] as const;
type Texts = Readonly<Record<(typeof TEXTS)[number], string | null>>;

const textsOf = (map: Section, warn: Warn): Texts => {
  const read = (name: string): string | null => {
    const value = map[name];
    if (value === undefined || value === null) return null;
    if (typeof value === "string" || typeof value === "number") return String(value).trim() || null;
    warn(name, "is no text");
    return null;
  };
  return Object.fromEntries(TEXTS.map((name) => [name, read(name)])) as Texts;
};

/** The model of a task; null when nothing says that it is another one than the session's. */
const dedicatedModel = (texts: Texts, env: Env, main: ProfileModel, warn: Warn): ProfileModel | null => {
  if (TEXTS.every((name) => texts[name] === null)) return null;
  const picked = pickedModel(expandSetting(texts.model, env) ?? "");
  const baseUrl = expandSetting(texts.base_url, env);
  // "auto" and "main" are how other programs write "the chat model's".
  const named =
    texts.provider === null || /^(?:auto|main)$/i.test(texts.provider) ? null : texts.provider.toLowerCase();
  const nothingNew =
    baseUrl === null || originOf("custom", baseUrl) === originOf(main.provider, main.baseUrl);
  const provider = picked.provider ?? named ?? (nothingNew ? main.provider : "custom");
  const isMain = provider === main.provider;
  const model = picked.model || (isMain ? main.model : "");
  if (model === "" && !isMain) {
    warn("model", `is needed with the provider "${provider}"; the chat model is used`);
    return null;
  }
  const route = { provider, model, baseUrl: baseUrl ?? (isMain ? main.baseUrl : null) };
  const own = texts.api_key !== null || texts.api_key_env !== null;
  const ownKey = (): string | null => expandSetting(texts.api_key, env) ?? keyIn(texts.api_key_env, env);
  return { ...route, apiKey: own ? ownKey() : usualKey(route, env, main) };
};

/**
 * The key under the provider's usual names, if it belongs to where it would be sent (security-contract 11): the chat model's
 * goes to the chat model's origin only, a well-known provider's to that provider. Another address needs `api_key` or
 * `api_key_env`.
 */
const usualKey = (route: Omit<ProfileModel, "apiKey">, env: Env, main: ProfileModel): string | null => {
  const target = originOf(route.provider, route.baseUrl);
  if (target === null) return null;
  const mainNames = keyNamesOf(main.provider);
  const belongs = (name: string): boolean => {
    if (mainNames.includes(name)) return originOf(main.provider, main.baseUrl) === target;
    const owner = originOfName(name);
    return owner === null || owner === target;
  };
  return (
    keyNamesOf(route.provider)
      .filter(belongs)
      .map((name) => keyIn(name, env))
      .find((value) => value !== null) ?? null
  );
};

const keyIn = (name: string | null, env: Env): string | null =>
  name !== null && Object.hasOwn(env, name) ? env[name] || null : null;
