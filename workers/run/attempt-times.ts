import type { RunRecord } from "../../common/runs/ledger.ts";
import type { OpenSpan, SpanAttributes } from "../../common/tracing/traces.ts";
import { EngineError, type EngineEvent, type ModelSettings } from "../engines/port.ts";
import type { AttemptEnd, RunFigures } from "./run-figures.ts";

/** Where one attempt's time went, and the spans of its model calls and tools. Times in seconds. */
export interface AttemptTimes {
  /** The engine is asked for its next event from here on. */
  asked(): void;
  /** What the engine gave. */
  came(event: EngineEvent): void;
  /** It was journaled and stored. */
  recorded(): void;
  /** The engine ended, in whatever way. */
  engineOver(error?: unknown): void;
  /** The same promise; what it takes counts as waiting for the journal. */
  journal<T>(waiting: Promise<T>): Promise<T>;
  /** What the run is done with. */
  uses(model: Pick<ModelSettings, "provider" | "model">): void;
  /** A span within the attempt's. */
  span(name: string): OpenSpan;
  /** The run's end was written. */
  committed(seconds: number): void;
  /** The attempt is over: its span ends. The first call counts. */
  over(end: AttemptEnd, attributes?: SpanAttributes): void;
  /** An earlier attempt has shown something: when the run's first word came, this one cannot say. */
  goesOn(): void;
  /** When the run first showed something, in epoch seconds; null: it has not, or this attempt does not know. */
  readonly firstOutputAt: number | null;
  /** What the log says of the run's end: why it took so long. */
  summary(): TimeSummary;
}

export interface TimeSummary {
  /** Until the run was given to the queue: behind an earlier turn of its session, or by its profile's limits. */
  readonly heldS: number | null;
  /** Until the first worker had it. */
  readonly queuedS: number | null;
  /** Of attempts before this one: lost workers, hand-overs. */
  readonly earlierAttemptsS: number;
  /** From this attempt's claim to its first word. */
  readonly firstOutputS: number | null;
  readonly modelS: number;
  readonly modelCalls: number;
  readonly toolsS: number;
  readonly toolCalls: number;
  readonly slowestTool?: { readonly name: string; readonly seconds: number };
  /** Model calls that were tried again, by what the provider answered; `unreachable` where it did not. */
  readonly retries?: Readonly<Record<string, number>>;
  readonly retryWaitS: number;
  /** Waiting for the journal, and for the database between the engine's events. */
  readonly journalS: number;
  readonly databaseS: number;
  readonly commitS: number;
  /** What took the most of it. */
  readonly mostly: Part;
}

type Part =
  | "held"
  | "queued"
  | "earlier attempts"
  | "model"
  | "tools"
  | "retries"
  | "journal"
  | "database"
  | "commit";

export const createAttemptTimes = ({
  record,
  span,
  figures,
}: {
  readonly record: RunRecord;
  readonly span: OpenSpan;
  readonly figures: RunFigures | null;
}): AttemptTimes => {
  const claimedAtS = Date.now() / 1000;
  const startedMs = performance.now();
  const retries: Record<string, number> = {};
  let modelS = 0;
  let modelCalls = 0;
  let toolsS = 0;
  let toolCalls = 0;
  let slowest: { readonly name: string; readonly seconds: number } | null = null;
  let retryWaitS = 0;
  let journalS = 0;
  let databaseS = 0;
  /** Of the event being recorded. */
  let flushedS = 0;
  let isText = false;
  let model: Pick<ModelSettings, "provider" | "model"> | null = null;
  let commitS = 0;
  let firstOutputS: number | null = null;
  let askedMs = startedMs;
  let cameMs = startedMs;
  /** The model call under way, from the moment when the engine could begin it. */
  let call: {
    readonly span: OpenSpan;
    readonly startedMs: number;
    firstMs: number | null;
    waitedS: number;
  } | null = null;
  let tool: { readonly span: OpenSpan; readonly name: string; readonly startedMs: number } | null = null;
  let engineIsOver = false;
  let isOver = false;
  let isContinued = false;

  const modelCall = (): NonNullable<typeof call> => {
    if (call !== null) return call;
    const about = {
      name: "model call",
      kind: "client" as const,
      startedAtMs: performance.timeOrigin + askedMs,
      attributes: {
        "gen_ai.operation.name": "chat",
        "gen_ai.provider.name": model?.provider,
        "gen_ai.request.model": model?.model,
      },
    };
    call = { span: span.child(about), startedMs: askedMs, firstMs: null, waitedS: 0 };
    return call;
  };
  const endCall = (endedMs: number, failure?: string): void => {
    if (call === null) return;
    const seconds = (endedMs - call.startedMs) / 1000;
    const first = call.firstMs === null ? null : (call.firstMs - call.startedMs) / 1000;
    modelCalls++;
    call.span.set({ "talaria.first_output_s": first, "talaria.retry_wait_s": call.waitedS });
    call.span.end(failure);
    figures?.modelCall({ seconds, firstOutputS: first, failed: failure !== undefined });
    call = null;
  };
  const endTool = (event: Extract<EngineEvent, { type: "tool_end" }>): void => {
    const { name } = event.call.function;
    toolCalls++;
    toolsS += event.durationS;
    if (slowest === null || event.durationS > slowest.seconds) slowest = { name, seconds: event.durationS };
    figures?.toolCall({ seconds: event.durationS, failed: event.isError });
    tool?.span.set({ "talaria.tool.outcome": event.outcome });
    tool?.span.end(event.isError ? "tool_failed" : undefined);
    tool = null;
  };

  return {
    asked: () => {
      askedMs = performance.now();
    },
    came: (event) => {
      cameMs = performance.now();
      flushedS = 0;
      isText = event.type === "text" || event.type === "reasoning";
      const sinceAsked = (cameMs - askedMs) / 1000;
      switch (event.type) {
        case "text":
        case "reasoning":
          modelCall().firstMs ??= cameMs;
          modelS += sinceAsked;
          firstOutputS ??= (cameMs - startedMs) / 1000;
          return;
        case "step_end": {
          const { inputTokens, outputTokens } = event.usage;
          modelCall().span.set({
            "talaria.step": event.step,
            "gen_ai.usage.input_tokens": inputTokens,
            "gen_ai.usage.output_tokens": outputTokens,
          });
          modelS += sinceAsked;
          endCall(cameMs);
          return;
        }
        case "warning":
          modelS += sinceAsked;
          if (event.retry === undefined) return;
          modelCall().waitedS += event.retry.waitMs / 1000;
          retryWaitS += event.retry.waitMs / 1000;
          // The wait is a part of the time until the next event.
          modelS -= event.retry.waitMs / 1000;
          retries[event.retry.status ?? "unreachable"] =
            (retries[event.retry.status ?? "unreachable"] ?? 0) + 1;
          figures?.retry(event.retry.status);
          return;
        case "tool_start": {
          const { name } = event.call.function;
          const attributes = {
            "gen_ai.operation.name": "execute_tool",
            "gen_ai.tool.name": name,
            "gen_ai.tool.call.id": event.call.id,
            "talaria.step": event.step,
          };
          tool = { span: span.child({ name: "tool call", attributes }), name, startedMs: cameMs };
          return;
        }
        case "tool_end":
          endTool(event);
          return;
        case "step_limit":
          return;
      }
    },
    recorded: () => {
      const seconds = (performance.now() - cameMs) / 1000;
      // Text waits for nothing but room in the journal.
      if (isText) journalS += seconds - flushedS;
      else databaseS += seconds - flushedS;
    },
    engineOver: (error) => {
      if (engineIsOver) return;
      engineIsOver = true;
      const endedMs = performance.now();
      const failure = error === undefined ? undefined : error instanceof EngineError ? error.code : "stopped";
      if (tool !== null) {
        const seconds = (endedMs - tool.startedMs) / 1000;
        toolCalls++;
        toolsS += seconds;
        if (slowest === null || seconds > slowest.seconds) slowest = { name: tool.name, seconds };
        tool.span.end(failure);
        tool = null;
      } else if (error instanceof EngineError || call !== null) {
        // What a provider refuses at once has given no event at all.
        modelCall();
        modelS += Math.max(0, (endedMs - Math.max(askedMs, cameMs)) / 1000);
        endCall(endedMs, failure);
      }
    },
    journal: async (waiting) => {
      const begunMs = performance.now();
      try {
        return await waiting;
      } finally {
        const seconds = (performance.now() - begunMs) / 1000;
        journalS += seconds;
        flushedS += seconds;
      }
    },
    uses: (settings) => {
      model = settings;
    },
    over: (end, attributes = {}) => {
      if (isOver) return;
      isOver = true;
      span.set({ "talaria.attempt.end": end, ...attributes });
      const failed = end === "failed" || end === "interrupted" || end === "lost";
      span.end(failed ? String(attributes["error.type"] ?? end) : undefined);
      figures?.attemptEnded(end);
    },
    span: (name) => span.child({ name }),
    committed: (seconds) => {
      commitS += seconds;
    },
    goesOn: () => {
      isContinued = true;
    },
    get firstOutputAt() {
      return firstOutputS === null || isContinued ? null : claimedAtS + firstOutputS;
    },
    summary: () => {
      const { created_at: acceptedAt, started_at: firstClaimAt } = record.run;
      const heldS = record.releasedAt === null ? null : Math.max(0, record.releasedAt - acceptedAt);
      const queuedS =
        record.releasedAt === null || firstClaimAt === null
          ? null
          : Math.max(0, firstClaimAt - record.releasedAt);
      const earlierAttemptsS = firstClaimAt === null ? 0 : Math.max(0, claimedAtS - firstClaimAt);
      const parts: readonly (readonly [Part, number])[] = [
        ["held", heldS ?? 0],
        ["queued", queuedS ?? 0],
        ["earlier attempts", record.run.attempt > 1 ? earlierAttemptsS : 0],
        ["model", Math.max(0, modelS)],
        ["tools", toolsS],
        ["retries", retryWaitS],
        ["journal", journalS],
        ["database", databaseS],
        ["commit", commitS],
      ];
      const [mostly] = parts.reduce((most, part) => (part[1] > most[1] ? part : most));
      return {
        heldS: round(heldS),
        queuedS: round(queuedS),
        earlierAttemptsS: record.run.attempt > 1 ? round(earlierAttemptsS) : 0,
        firstOutputS: round(firstOutputS),
        modelS: round(Math.max(0, modelS)),
        modelCalls,
        toolsS: round(toolsS),
        toolCalls,
        ...(slowest === null ? {} : { slowestTool: { name: slowest.name, seconds: round(slowest.seconds) } }),
        ...(Object.keys(retries).length === 0 ? {} : { retries: { ...retries } }),
        retryWaitS: round(retryWaitS),
        journalS: round(journalS),
        databaseS: round(databaseS),
        commitS: round(commitS),
        mostly,
      };
    },
  };
};

/** To the millisecond. */
const round = <T extends number | null>(seconds: T): T =>
  (seconds === null ? null : Math.round(seconds * 1000) / 1000) as T;
