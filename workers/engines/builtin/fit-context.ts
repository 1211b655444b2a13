import type { LanguageModelV4FunctionTool, LanguageModelV4Prompt } from "@ai-sdk/provider";
import type { ContextMessage } from "../../../common/compression/context-message.ts";
import { isSurelyBelow } from "../../../common/compression/tokens.ts";
import { trimNewestFirst } from "../../../common/compression/trim.ts";
import type { EngineContext, EngineEvent } from "../port.ts";
import { type CallResult, conversationPrompt, stepMessages } from "./prompt.ts";

/** One step of the running turn, as its model gets it back. */
export interface OwnStep {
  readonly text: string;
  readonly reasoning: string;
  readonly results: readonly CallResult[];
}

/** Compressions of one turn (background-jobs 2.2). */
const MAX_TRIES = 2;
/** Rough tokens that the turn's own results keep when the provider refuses the usual ones, too. */
const LAST_BUDGET = 512;
const CHARS_PER_TOKEN = 4;

/**
 * The prompt of a running turn, kept within the model's window (background-jobs 2.2): the history is compressed, durably, before it is
 * told; the turn's own steps stay, and their results are cut where that is not enough. Both depend on what is recorded alone, so that a
 * later attempt makes the same prompt.
 */
export class FittedContext {
  private readonly context: EngineContext;
  private readonly functions: readonly LanguageModelV4FunctionTool[];
  private history: readonly ContextMessage[];
  private readonly own: OwnStep[] = [];
  private budget: number | null = null;
  private tries: number;
  private refusals = 0;

  constructor(context: EngineContext, functions: readonly LanguageModelV4FunctionTool[]) {
    this.context = context;
    this.functions = functions;
    this.history = context.messages;
    this.tries = context.keeper?.made ?? 0;
  }

  add(step: OwnStep): void {
    this.own.push(step);
  }

  prompt(): LanguageModelV4Prompt {
    const { instructions } = this.context;
    return [
      ...conversationPrompt({ instructions, messages: this.history }),
      ...this.cutSteps().flatMap((step) => stepMessages(step)),
    ];
  }

  /** Makes room before a model call, where the estimate passes the threshold. */
  async *makeRoom(signal: AbortSignal): AsyncGenerator<EngineEvent, void, undefined> {
    const threshold = this.context.keeper?.thresholdTokens ?? null;
    if (threshold === null || (await this.fits(threshold))) return;
    yield* this.compress({ tailTokens: null }, signal);
    if (!(await this.fits(threshold))) this.budget = this.context.keeper?.resultBudget ?? null;
  }

  /** Makes room after a refusal; false: there is none left to make. */
  async *makeRoomAfterRefusal(signal: AbortSignal): AsyncGenerator<EngineEvent, boolean, undefined> {
    const { keeper } = this.context;
    if (keeper === undefined || ++this.refusals > MAX_TRIES) return false;
    const before = JSON.stringify(this.prompt()).length;
    yield* this.compress({ tailTokens: 0 }, signal);
    this.budget = this.budget === null ? keeper.resultBudget : LAST_BUDGET;
    return JSON.stringify(this.prompt()).length < before;
  }

  private async *compress(
    how: { readonly tailTokens: number | null },
    signal: AbortSignal,
  ): AsyncGenerator<EngineEvent, void, undefined> {
    const { keeper } = this.context;
    if (keeper === undefined || this.tries >= MAX_TRIES) return;
    const work = await keeper.prepare(how.tailTokens);
    if (work === null) return;
    this.tries++;
    yield { type: "compressing" };
    const made = await work(signal);
    if (made.kind === "made") {
      this.history = made.messages;
      const { version, tokensBefore, tokensAfter } = made;
      yield { type: "compressed", version, tokensBefore, tokensAfter };
    } else yield { type: "warning", kind: made.reason, message: made.message };
  }

  private async fits(limit: number): Promise<boolean> {
    const { instructions, keeper } = this.context;
    if (keeper === undefined) return true;
    const tools = Math.ceil(JSON.stringify(this.functions).length / CHARS_PER_TOKEN);
    const messages: ContextMessage[] = [
      { role: "user", content: instructions },
      ...this.history,
      ...this.cutSteps().flatMap(toContext),
    ];
    if (isSurelyBelow(messages, limit - tools)) return true;
    return (await keeper.count(messages)) + tools <= limit;
  }

  private cutSteps(): readonly OwnStep[] {
    if (this.budget === null) return this.own;
    const results = this.own.flatMap((step) => step.results.map(({ content }) => content));
    const cut = trimNewestFirst(results, this.budget);
    let at = 0;
    return this.own.map((step) => ({
      ...step,
      results: step.results.map((result) => ({ ...result, content: cut[at++] ?? result.content })),
    }));
  }
}

const toContext = ({ text, reasoning, results }: OwnStep): ContextMessage[] => [
  { role: "assistant", content: `${reasoning}${text}`, toolCalls: results.map(({ call }) => call) },
  ...results.map(
    ({ call, content, isError }): ContextMessage => ({
      ...{ role: "tool", toolCallId: call.id, toolName: call.function.name, content, isError },
    }),
  ),
];
