import { TalariaError } from "../base/errors.ts";
import { isProviderAddress } from "../contracts/profile-rules.ts";
import type { ProfileModel } from "./port.ts";
import { addressFor, isWellKnown } from "./providers.ts";

const MAX_BYTES = 2 * 1024 * 1024;
const MAX_MODELS = 2000;

/**
 * Asks `<base_url>/models` with the profile's key and answers the ids, sorted. Nothing but the configured address is asked: no redirect is
 * followed, no link-local address is one (security-contract 11), time and size are bounded. Nothing of the answer but ids is kept.
 */
export const askModels = async (
  { provider, baseUrl, apiKey }: ProfileModel,
  ask: typeof fetch,
  timeoutMs: number,
): Promise<readonly string[]> => {
  if (provider === "demo") return ["demo"];
  if (isWellKnown(provider) && apiKey === null) throw refused(`the profile has no key for ${provider}`);
  const url = listOf(addressFor(provider, baseUrl));
  const signal = AbortSignal.timeout(timeoutMs);
  let answer: Response;
  try {
    answer = await ask(url, { headers: headersOf(provider, apiKey), redirect: "manual", signal });
  } catch (cause) {
    throw refused(
      signal.aborted ? "the model provider does not answer" : "the model provider cannot be reached",
      cause,
    );
  }
  if (!answer.ok) {
    await answer.body?.cancel().catch(() => undefined);
    // With redirect "manual" these have a status of 3xx.
    if (answer.status < 400) throw refused("the model provider sends elsewhere, which is not followed");
    throw refused(`the model provider answered with status ${answer.status}`);
  }
  try {
    return idsOf(JSON.parse(await bounded(answer)));
  } catch (cause) {
    if (cause instanceof TalariaError) throw cause;
    throw refused("the model provider's answer is no list of models", cause);
  }
};

const refused = (message: string, cause?: unknown): TalariaError =>
  new TalariaError("provider_unavailable", message, { cause });

/** Where the provider at this address lists its models. */
const listOf = (address: string | null): URL => {
  const list = `${address?.replace(/\/+$/, "")}/models`;
  if (address === null || !isProviderAddress(list))
    throw refused("the address of the model provider is not a plain http(s) address");
  const url = new URL(list);
  // Where clouds keep their machines' credentials.
  if (/^(169\.254\.|0\.0\.0\.0$|\[fe[89ab]|\[::ffff:a9fe:|metadata\.)/i.test(url.hostname))
    throw refused("the address of the model provider is no address of a model provider");
  return url;
};

const headersOf = (provider: string, apiKey: string | null): Record<string, string> => ({
  accept: "application/json",
  ...(apiKey === null
    ? {}
    : provider === "anthropic"
      ? { "x-api-key": apiKey, "anthropic-version": "2023-06-01" }
      : { authorization: `Bearer ${apiKey}` }),
});

const bounded = async (answer: Response): Promise<string> => {
  const chunks: Uint8Array[] = [];
  let length = 0;
  for await (const chunk of answer.body ?? []) {
    const bytes = chunk as Uint8Array;
    length += bytes.length;
    if (length > MAX_BYTES) throw refused("the model provider's list is too long");
    chunks.push(bytes);
  }
  return Buffer.concat(chunks).toString("utf8");
};

const idsOf = (body: unknown): readonly string[] => {
  const { data, models } = (body ?? {}) as { readonly data?: unknown; readonly models?: unknown };
  const items = Array.isArray(body)
    ? body
    : Array.isArray(data)
      ? data
      : Array.isArray(models)
        ? models
        : null;
  if (items === null) throw refused("the model provider's answer is no list of models");
  const ids = items.flatMap((item: unknown) => {
    const { id, name } = (typeof item === "object" && item !== null ? item : {}) as {
      readonly id?: unknown;
      readonly name?: unknown;
    };
    const text = typeof id === "string" ? id : name;
    return typeof text === "string" && text.length > 0 && text.length <= 200 && !/\p{Cc}/u.test(text)
      ? [text]
      : [];
  });
  return [...new Set(ids)].sort().slice(0, MAX_MODELS);
};
