import { createHash } from "node:crypto";
import type { ModelList } from "../contracts/profile.ts";
import { type ParsedFiles, parseFiles, readFiles } from "./files.ts";
import { askModels } from "./model-request.ts";

export interface ModelLists {
  /** Rejects with `provider_unavailable` when the provider cannot be asked, and like `resolveProfile`. */
  get(profile: string): Promise<ModelList>;
}

export interface ModelListDeps {
  readonly home: string;
  readonly fetch?: typeof fetch;
  readonly now?: () => number;
  readonly timeoutMs?: number;
}

const KEEP_S = 60;
const MAX_ENTRIES = 64;

/**
 * The models of each profile's provider. An answer is kept for a minute under the profile's home, its provider and its key, so
 * profiles never see each other's and a change counts at once (P-7); who asks while a question is open gets its answer.
 */
export const createModelLists = ({
  home,
  fetch: ask = fetch,
  now = () => Date.now() / 1000,
  timeoutMs = 8_000,
}: ModelListDeps): ModelLists => {
  const kept = new Map<string, { readonly at: number; readonly answer: Promise<ModelList> }>();

  return {
    async get(profile) {
      const files = await readFiles(home, profile);
      const parsed = parseFiles(files);
      const key = fingerprint(files.home, parsed);
      const known = kept.get(key);
      if (known !== undefined && known.at > now() - KEEP_S) return known.answer;
      const at = now();
      const { provider, model } = parsed.settings.model;
      const answer = askModels(parsed.settings.model, ask, timeoutMs).then((ids) => ({
        ...{ profile, provider, default: model, data: ids.map((id) => ({ id })), fetched_at: at },
      }));
      const entry = { at, answer };
      kept.set(key, entry);
      for (const oldest of kept.keys()) {
        if (kept.size <= MAX_ENTRIES) break;
        kept.delete(oldest);
      }
      try {
        return await answer;
      } catch (error) {
        // A fault is not kept: the next one asks again.
        if (kept.get(key) === entry) kept.delete(key);
        throw error;
      }
    },
  };
};

/** Never leaves this process. */
const fingerprint = (folder: string, { settings }: ParsedFiles): string =>
  createHash("sha256")
    .update(JSON.stringify([folder, settings.model]))
    .digest("base64url");
