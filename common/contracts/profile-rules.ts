/**
 * What a profile may be called and hold, as plain values: the page applies the same rules while somebody types, and loads no
 * schema library for it.
 */

/** A profile name; `default` is the home itself (profiles P-1). The whole string, also without a line break at its end. */
export const PROFILE_NAME = /^[a-z0-9][a-z0-9_-]{0,63}(?![\s\S])/;
/** A variable of `.env`; which ones are the server's is decided by the profiles room. */
export const KEY_NAME = /^[A-Za-z_][A-Za-z0-9_]{0,127}(?![\s\S])/;
/** One line of text: no control characters, no line ends of Unicode. */
export const ONE_LINE = /^[^\p{Cc}\u2028\u2029]*$/u;
/** The name of a provider in `config.yaml`. */
export const PROVIDER_NAME = /^[A-Za-z0-9][A-Za-z0-9._-]{0,63}(?![\s\S])/;

/** Said where somebody saves what is shown in place of a key. */
export const MASK_SAVED = "what is shown as [redacted] is not what the file holds: write it out";

/** Where the providers that need no address in the configuration are. */
export const PROVIDER_URLS = {
  openai: "https://api.openai.com/v1",
  anthropic: "https://api.anthropic.com/v1",
} as const satisfies Readonly<Record<string, string>>;

/** Characters of a display name. */
export const MAX_DISPLAY_NAME = 64;
/** Model calls that a profile may allow a run. */
export const MAX_PROFILE_STEPS = 10_000;
/** The highest limit of a profile's runs: more is no limit. */
export const MAX_RUN_LIMIT = 100_000;
/** Bytes of UTF-8 that `SOUL.md` may have to reach the model whole. */
export const MAX_SOUL_BYTES = 24 * 1024;
export const MAX_KEY_VALUE = 16_384;

/** Bytes of UTF-8. */
export const bytesOf = (text: string): number => new TextEncoder().encode(text).length;

/** An address that a model provider may have: http(s), without user and password. */
export const isProviderAddress = (text: string): boolean => {
  const url = URL.parse(text);
  return url !== null && /^https?:$/.test(url.protocol) && url.username === "" && url.password === "";
};
