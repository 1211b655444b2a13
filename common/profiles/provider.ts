/** Addresses of the providers that need none in the configuration. */
export const KNOWN_ADDRESSES: Readonly<Record<string, string>> = {
  openai: "https://api.openai.com/v1",
  anthropic: "https://api.anthropic.com/v1",
};

/** Variables that hold a provider's key, in order of preference; others: `<PROVIDER>_API_KEY`. */
const KEY_NAMES: Readonly<Record<string, readonly string[]>> = {
  demo: [],
  custom: ["OPENAI_API_KEY"],
  openai: ["OPENAI_API_KEY"],
  anthropic: ["ANTHROPIC_API_KEY", "ANTHROPIC_TOKEN"],
};

export const keyNamesOf = (provider: string): readonly string[] => {
  const usual = `${provider.toUpperCase().replaceAll(/[^A-Z0-9]+/g, "_")}_API_KEY`;
  return Object.hasOwn(KEY_NAMES, provider) ? (KEY_NAMES[provider] ?? []) : [usual];
};

/** `${NAME}` comes from the profile's own variables only, and is empty without one (P-23). */
export const expand = (text: string | null, env: Readonly<Record<string, string>>): string | null => {
  const result = text?.replaceAll(/\$\{([A-Za-z_][A-Za-z0-9_]*)\}/g, (_all, name: string) =>
    Object.hasOwn(env, name) ? (env[name] ?? "") : "",
  );
  return result === undefined || result === "" ? null : result;
};

/** `@provider:model` as pickers write it; other ids name no provider. */
export const pickedModel = (id: string): { readonly provider: string | null; readonly model: string } => {
  const [, provider, model] = /^@([^:\s]+):(.+)$/s.exec(id) ?? [];
  if (provider === undefined || model === undefined) return { provider: null, model: id };
  return { provider: provider.toLowerCase(), model };
};
