import { compressed, type EffectiveContext } from "../../common/compression/effective.ts";
import { coverage, type Keyed } from "../../common/compression/keys.ts";
import type { Preparation } from "../../common/compression/prepare.ts";
import type { TokenCounter } from "../../common/compression/tokens.ts";
import type { NewContext } from "../../common/jobs/context-ops.ts";
import type { ContextReader } from "../../common/transcript/port.ts";
import type { Summarise, SummaryRequest } from "./summarise.ts";

export interface CompressorDeps {
  readonly context: Pick<ContextReader, "shownId">;
  readonly counter: TokenCounter;
  readonly summarise: Summarise;
}

export type Compressed =
  | { readonly kind: "made"; readonly context: NewContext; readonly messages: EffectiveContext["messages"] }
  | { readonly kind: "failed" | "skipped"; readonly reason: string };

/** Works a new version out; nothing is stored. `redact` is applied to what the model wrote. */
export const makeContext = async (
  deps: CompressorDeps,
  source: { readonly sessionId: string; readonly context: EffectiveContext; readonly prepared: Preparation },
  asked: Omit<SummaryRequest, "parts" | "earlier"> & { readonly redact: (text: string) => string },
): Promise<Compressed> => {
  const { context, prepared, sessionId } = source;
  const { parts, earlier, isCovered, covered, resultBudget, borderId, tokensBefore } = prepared;
  const { redact, ...request } = asked;
  const made = await deps.summarise({ ...request, parts, earlier });
  if (made.kind === "failed") return made;
  const summary = redact(made.text);
  const messages = compressed(context.raw, { summary, resultBudget }, isCovered);
  const tokensAfter = await deps.counter.total(messages);
  // What makes nothing shorter is not worth a loss of words.
  if (tokensAfter >= tokensBefore) return { kind: "skipped", reason: "no_gain" };
  const shown = borderId === null ? null : await deps.context.shownId(sessionId, borderId);
  return {
    kind: "made",
    messages,
    context: {
      summary,
      covered,
      resultBudget,
      borderId: shown,
      focus: asked.focus,
      tokensBefore,
      tokensAfter,
    },
  };
};

/** Whether all that a version would stand for is still there: another program may have rewritten it meanwhile (B-30). */
export const stillHolds = (history: Keyed, covered: readonly string[]): boolean =>
  coverage(history, covered) !== null;
