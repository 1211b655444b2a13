import type { OpenSpan } from "../../common/tracing/traces.ts";
import type { EngineEvent, ModelSettings, StepUsage } from "../engines/port.ts";
import type { RunFigures } from "./run-figures.ts";

/** The model calls of an attempt, one at a time: their time, their spans, what was tried again. Moments are of `performance.now()`. */
export const createModelCalls = (attempt: OpenSpan, figures: RunFigures | null) => {
  const retries: Record<string, number> = {};
  let settings: Pick<ModelSettings, "provider" | "model"> | null = null;
  let seconds = 0;
  let calls = 0;
  let waitedS = 0;
  let open: {
    readonly span: OpenSpan;
    readonly begunMs: number;
    firstMs: number | null;
    waitedS: number;
  } | null = null;

  const current = (begunMs: number): NonNullable<typeof open> => {
    open ??= {
      span: attempt.child({
        name: "model call",
        kind: "client",
        startedAtMs: wallMs(begunMs),
        attributes: {
          "gen_ai.operation.name": "chat",
          "gen_ai.provider.name": settings?.provider,
          "gen_ai.request.model": settings?.model,
        },
      }),
      begunMs,
      firstMs: null,
      waitedS: 0,
    };
    return open;
  };

  return {
    uses: (model: Pick<ModelSettings, "provider" | "model">): void => {
      settings = model;
    },
    /** The engine waited for the model from then to now; a call that is not open began then. */
    waited: (begunMs: number, nowMs: number): void => {
      current(begunMs);
      seconds += (nowMs - begunMs) / 1000;
    },
    said: (nowMs: number): void => {
      if (open !== null) open.firstMs ??= nowMs;
    },
    triedAgain: ({ status, waitMs }: { readonly status: number | null; readonly waitMs: number }): void => {
      const answer = status ?? "unreachable";
      retries[answer] = (retries[answer] ?? 0) + 1;
      waitedS += waitMs / 1000;
      // Until its next event the engine waits for this, too, and that is counted then.
      seconds -= waitMs / 1000;
      if (open !== null) open.waitedS += waitMs / 1000;
      figures?.retry(status);
    },
    get isOpen(): boolean {
      return open !== null;
    },
    /** `failure`: a code, when there is no answer. */
    end: (
      nowMs: number,
      failure?: string,
      step?: { readonly step: number; readonly usage: StepUsage },
    ): void => {
      if (open === null) return;
      const firstOutputS = open.firstMs === null ? null : (open.firstMs - open.begunMs) / 1000;
      open.span.set({
        "talaria.step": step?.step,
        "talaria.first_output_s": firstOutputS,
        "talaria.retry_wait_s": open.waitedS,
        "gen_ai.usage.input_tokens": step?.usage.inputTokens,
        "gen_ai.usage.output_tokens": step?.usage.outputTokens,
      });
      open.span.end(failure);
      figures?.modelCall({
        seconds: (nowMs - open.begunMs) / 1000,
        firstOutputS,
        failed: failure !== undefined,
      });
      calls++;
      open = null;
    },
    sums: () => ({ seconds: Math.max(0, seconds), calls, waitedS, retries: { ...retries } }),
  };
};

/** The same for its tool calls. */
export const createToolCalls = (attempt: OpenSpan, figures: RunFigures | null) => {
  let seconds = 0;
  let calls = 0;
  let slowest: SlowTool | null = null;
  let open: { readonly span: OpenSpan; readonly name: string; readonly begunMs: number } | null = null;

  const count = (name: string, took: number): void => {
    calls++;
    seconds += took;
    if (slowest === null || took > slowest.seconds) slowest = { name, seconds: took };
  };
  return {
    begin: ({ call, step }: Extract<EngineEvent, { type: "tool_start" }>, nowMs: number): void => {
      const { name } = call.function;
      const attributes = {
        "gen_ai.operation.name": "execute_tool",
        "gen_ai.tool.name": name,
        "gen_ai.tool.call.id": call.id,
        "talaria.step": step,
      };
      open = { span: attempt.child({ name: "tool call", attributes }), name, begunMs: nowMs };
    },
    end: ({ call, durationS, isError, outcome }: Extract<EngineEvent, { type: "tool_end" }>): void => {
      count(call.function.name, durationS);
      figures?.toolCall({ seconds: durationS, failed: isError });
      open?.span.set({ "talaria.tool.outcome": outcome });
      open?.span.end(isError ? "tool_failed" : undefined);
      open = null;
    },
    get isOpen(): boolean {
      return open !== null;
    },
    /** The run was stopped within a tool. */
    cut: (nowMs: number, failure: string): void => {
      if (open === null) return;
      count(open.name, (nowMs - open.begunMs) / 1000);
      open.span.end(failure);
      open = null;
    },
    sums: () => ({ seconds, calls, slowest }),
  };
};

export interface SlowTool {
  readonly name: string;
  readonly seconds: number;
}

/** Epoch milliseconds of a moment of `performance.now()`, whose clock and the wall's drift apart over days. */
const wallMs = (moment: number): number => Date.now() - (performance.now() - moment);
