import { PROVIDER_URLS } from "../contracts/profile-rules.ts";

/** True for a provider that needs no address in the configuration, but a key. */
export const isWellKnown = (provider: string): provider is keyof typeof PROVIDER_URLS =>
  Object.hasOwn(PROVIDER_URLS, provider);

/** Where a provider is asked: as the configuration says, or at its well-known address; null: nobody knows. */
export const addressFor = (provider: string, baseUrl: string | null): string | null =>
  baseUrl ?? (isWellKnown(provider) ? PROVIDER_URLS[provider] : null);

/** Variables that may hold the key of a provider, in order of preference; none for the demo model. */
export const keyNamesOf = (provider: string): readonly string[] =>
  Object.hasOwn(KEY_NAMES, provider)
    ? (KEY_NAMES[provider] ?? [])
    : [`${provider.toUpperCase().replaceAll(/[^A-Z0-9]+/g, "_")}_API_KEY`];

/** The origin that a provider's key is sent to with every request; null: to nobody. */
export const originOf = (provider: string, baseUrl: string | null): string | null => {
  if (provider === "demo") return null;
  const address = addressFor(provider, baseUrl);
  const url = address === null ? null : URL.parse(address);
  return url !== null && /^https?:$/.test(url.protocol) ? url.origin : null;
};

/** Where a key goes that nobody saved for another place: to the provider whose name it has. */
export const originOfName = (keyName: string): string | null => {
  const provider = Object.keys(PROVIDER_URLS).find((one) => keyNamesOf(one).includes(keyName));
  return provider === undefined ? null : originOf(provider, null);
};

/** `@provider:model` as pickers write it; other ids name no provider. */
export const pickedModel = (id: string): { readonly provider: string | null; readonly model: string } => {
  const [, provider, model] = /^@([^:\s]+):(.+)$/s.exec(id) ?? [];
  if (provider === undefined || model === undefined) return { provider: null, model: id };
  return { provider: provider.toLowerCase(), model };
};

const KEY_NAMES: Readonly<Record<string, readonly string[]>> = {
  demo: [],
  custom: ["OPENAI_API_KEY"],
  openai: ["OPENAI_API_KEY"],
  anthropic: ["ANTHROPIC_API_KEY", "ANTHROPIC_TOKEN"],
};
