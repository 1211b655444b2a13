import { createAnthropic } from "@ai-sdk/anthropic";
import { createOpenAI } from "@ai-sdk/openai";
import { createOpenAICompatible } from "@ai-sdk/openai-compatible";
import type { LanguageModelV4 } from "@ai-sdk/provider";
import { isProviderAddress, PROVIDER_URLS } from "../../../common/contracts/profile-rules.ts";
import { EngineError, type ModelSettings } from "../port.ts";

/** What the engine needs of the demo model: where it listens. */
export interface DemoEndpoint {
  /** OpenAI base URL; starts the endpoint when it is not running yet. */
  baseUrl(): Promise<string>;
}

export interface Models {
  /** Throws an `EngineError` when the settings cannot name a reachable model (no key, no address). */
  get(settings: ModelSettings): Promise<LanguageModelV4>;
}

const MAX_CLIENTS = 64;

/**
 * Model clients, one per provider, address, key and model: building one compiles its schemas, which costs more than a short
 * answer. The least recently used one is dropped at 64.
 */
export const createModels = (deps: { demo: DemoEndpoint; fetch?: typeof fetch }): Models => {
  const clients = new Map<string, LanguageModelV4>();
  return {
    async get(settings) {
      const resolved = await resolve(settings, deps.demo);
      checkAddress(resolved.baseUrl);
      const key = JSON.stringify([resolved.kind, resolved.baseUrl, resolved.apiKey, settings.model]);
      const client = clients.get(key) ?? createClient(resolved, staying(deps.fetch ?? fetch))(settings.model);
      clients.delete(key);
      clients.set(key, client);
      for (const oldest of clients.keys()) {
        if (clients.size <= MAX_CLIENTS) break;
        clients.delete(oldest);
      }
      return client;
    },
  };
};

/** The key and the conversation are for the configured address: a redirect is an answer like any other bad one (security 11). */
const staying =
  (fetch: typeof globalThis.fetch): typeof globalThis.fetch =>
  (input, init) =>
    fetch(input, { ...init, redirect: "manual" });

type Client = (model: string) => LanguageModelV4;

interface Resolved {
  readonly kind: "openai" | "anthropic" | "compatible";
  readonly baseUrl: string;
  readonly apiKey: string | null;
}

/** Addresses are given explicitly: the SDK would otherwise look into this process's environment, which is no profile's (profiles P-4). */
const resolve = async (settings: ModelSettings, demo: DemoEndpoint): Promise<Resolved> => {
  const { provider, baseUrl, apiKey } = settings;
  switch (provider) {
    case "demo":
      return { kind: "compatible", baseUrl: await demo.baseUrl(), apiKey: null };
    case "openai":
      if (!apiKey) throw missingKey("OpenAI", "OPENAI_API_KEY");
      return { kind: "openai", baseUrl: baseUrl ?? PROVIDER_URLS.openai, apiKey };
    case "anthropic":
      if (!apiKey) throw missingKey("Anthropic", "ANTHROPIC_API_KEY");
      return { kind: "anthropic", baseUrl: baseUrl ?? PROVIDER_URLS.anthropic, apiKey };
    default:
      if (!baseUrl) throw badAddress(`The model provider "${provider}" has no address.`);
      return { kind: "compatible", baseUrl, apiKey };
  }
};

/** Refuses what `fetch` would refuse later and less clearly; an address may hold no credentials (security 11). */
const checkAddress = (baseUrl: string): void => {
  if (!isProviderAddress(baseUrl))
    throw badAddress("The address of the model provider is not a plain http(s) address.");
};

const badAddress = (message: string): EngineError =>
  new EngineError("error", message, {
    hint: "Set model.base_url in the profile's config.yaml to an OpenAI-compatible address.",
  });

const missingKey = (name: string, variable: string): EngineError =>
  new EngineError("auth_mismatch", `${name} is the model provider, but the profile has no key for it.`, {
    hint: `Set ${variable} in the profile's .env file.`,
  });

const createClient = ({ kind, baseUrl, apiKey }: Resolved, fetch: typeof globalThis.fetch): Client => {
  const common = { baseURL: baseUrl, fetch };
  switch (kind) {
    case "openai":
      // Chat Completions and not Responses: the step loop owns the conversation, the provider keeps none of it.
      return createOpenAI({ ...common, apiKey: apiKey ?? "" }).chat;
    case "anthropic":
      return createAnthropic({ ...common, apiKey: apiKey ?? "" }).languageModel;
    case "compatible":
      return createOpenAICompatible({
        ...common,
        name: "custom",
        includeUsage: true,
        ...(apiKey ? { apiKey } : {}),
      }).chatModel;
  }
};
