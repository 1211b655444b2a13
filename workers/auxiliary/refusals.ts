import type { ModelSettings } from "../engines/port.ts";
import type { Option } from "./model-call.ts";

export interface Refusals {
  /** What this model's provider is known to reject. */
  of(model: ModelSettings): ReadonlySet<Option>;
  /** The provider named these as the fault, or answered once they were left out. */
  keep(model: ModelSettings, options: ReadonlySet<Option>): void;
}

const MAX_MODELS = 256;

/** Remembers which parameters a provider rejects for a model, so that it is asked once only (B-13). The oldest are forgotten. */
export const createRefusals = (): Refusals => {
  const known = new Map<string, ReadonlySet<Option>>();
  return {
    of: (model) => known.get(keyOf(model)) ?? new Set(),
    keep(model, options) {
      if (options.size === 0) return;
      known.delete(keyOf(model));
      known.set(keyOf(model), new Set(options));
      for (const oldest of known.keys()) {
        if (known.size <= MAX_MODELS) break;
        known.delete(oldest);
      }
    },
  };
};

/** Without the key: what a model understands does not depend on who asks. */
const keyOf = ({ provider, baseUrl, model }: ModelSettings): string =>
  JSON.stringify([provider, baseUrl, model]);
