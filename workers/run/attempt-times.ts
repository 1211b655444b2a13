import type { RunRecord } from "../../common/runs/ledger.ts";
import type { OpenSpan, SpanAttributes } from "../../common/tracing/traces.ts";
import { EngineError, type EngineEvent, type ModelSettings } from "../engines/port.ts";
import { createModelCalls, createToolCalls } from "./call-times.ts";
import type { AttemptEnd, RunFigures } from "./run-figures.ts";
import { summarise, type TimeSummary } from "./time-summary.ts";

/**
 * Where one attempt's time went, and the spans of its model calls and tools. It watches the engine from outside: what lies between
 * asking for an event and getting it is the model's time, unless a tool runs.
 */
export interface AttemptTimes {
  /** What the run is done with. */
  uses(model: Pick<ModelSettings, "provider" | "model">): void;
  /** An earlier attempt has shown something: when the run's first word came, this one cannot say. */
  goesOn(): void;
  /** The engine is asked for its next event from here on. */
  asked(): void;
  /** What the engine gave. */
  came(event: EngineEvent): void;
  /** It was journaled and stored. */
  recorded(): void;
  /** The engine ended, in whatever way. The first call counts. */
  engineOver(error?: unknown): void;
  /** The same promise; what it takes counts as waiting for the journal. */
  journal<T>(waiting: Promise<T>): Promise<T>;
  /** The same for the write of the run's end, which has a span. */
  commit<T>(write: () => Promise<T>): Promise<T>;
  /** The attempt is over: its span ends. The first call counts. */
  over(end: AttemptEnd, attributes?: SpanAttributes): void;
  /** When the run first showed something, in epoch seconds; null: it has not, or this attempt does not know. */
  readonly firstOutputAt: number | null;
  summary(): TimeSummary;
}

export const createAttemptTimes = ({
  record,
  span,
  figures,
}: {
  readonly record: Pick<RunRecord, "run" | "releasedAt">;
  readonly span: OpenSpan;
  readonly figures: RunFigures | null;
}): AttemptTimes => {
  const claimedAtS = Date.now() / 1000;
  const begunMs = performance.now();
  const model = createModelCalls(span, figures);
  const tools = createToolCalls(span, figures);
  const waits = createRecordTimes();
  let askedMs = begunMs;
  let isAsked = false;
  let firstOutputS: number | null = null;
  let commitS = 0;
  let isContinued = false;
  let engineIsOver = false;
  let isOver = false;

  return {
    uses: model.uses,
    goesOn: () => {
      isContinued = true;
    },
    asked: () => {
      askedMs = performance.now();
      isAsked = true;
    },
    came: (event) => {
      const nowMs = performance.now();
      isAsked = false;
      waits.begin(event.type === "text" || event.type === "reasoning", nowMs);
      switch (event.type) {
        case "text":
        case "reasoning":
          model.waited(askedMs, nowMs);
          model.said(nowMs);
          firstOutputS ??= (nowMs - begunMs) / 1000;
          return;
        case "step_end":
          model.waited(askedMs, nowMs);
          model.end(nowMs, undefined, event);
          return;
        case "warning":
          if (event.retry === undefined) return;
          model.waited(askedMs, nowMs);
          model.triedAgain(event.retry);
          return;
        case "tool_start":
          tools.begin(event, nowMs);
          return;
        case "tool_end":
          tools.end(event);
      }
    },
    recorded: waits.end,
    engineOver: (error) => {
      if (engineIsOver) return;
      engineIsOver = true;
      const nowMs = performance.now();
      const failure = error instanceof EngineError ? error.code : "stopped";
      if (tools.isOpen) return tools.cut(nowMs, failure);
      // What a provider refuses at once has given no event at all.
      if (!model.isOpen && !(error instanceof EngineError)) return;
      // Otherwise it was the recording of an event that failed.
      if (isAsked) model.waited(askedMs, nowMs);
      model.end(nowMs, failure);
    },
    journal: waits.journal,
    commit: async (write) => {
      const commit = span.child({ name: "commit" });
      const startedMs = performance.now();
      try {
        return await write();
      } finally {
        commitS += (performance.now() - startedMs) / 1000;
        commit.end();
      }
    },
    over: (end, attributes = {}) => {
      if (isOver) return;
      isOver = true;
      span.set({ "talaria.attempt.end": end, ...attributes });
      const failed = end === "failed" || end === "interrupted" || end === "lost";
      span.end(failed ? String(attributes["error.type"] ?? end) : undefined);
      figures?.attemptEnded(end);
    },
    get firstOutputAt() {
      return firstOutputS === null || isContinued ? null : claimedAtS + firstOutputS;
    },
    summary: () =>
      summarise(record, {
        ...{ claimedAtS, firstOutputS, commitS },
        ...{ model: model.sums(), tools: tools.sums(), ...waits.sums() },
      }),
  };
};

/** Between the engine's events: how long the journal, and how long the database was waited for. */
const createRecordTimes = () => {
  let journalS = 0;
  let databaseS = 0;
  let begunMs = 0;
  /** Of the event being recorded. */
  let flushedS = 0;
  let isText = false;
  return {
    begin: (text: boolean, nowMs: number): void => {
      begunMs = nowMs;
      flushedS = 0;
      isText = text;
    },
    end: (): void => {
      const seconds = (performance.now() - begunMs) / 1000 - flushedS;
      // Text waits for nothing but room in the journal.
      if (isText) journalS += seconds;
      else databaseS += seconds;
    },
    journal: async <T>(waiting: Promise<T>): Promise<T> => {
      const startedMs = performance.now();
      try {
        return await waiting;
      } finally {
        const seconds = (performance.now() - startedMs) / 1000;
        journalS += seconds;
        flushedS += seconds;
      }
    },
    sums: () => ({ journalS, databaseS }),
  };
};
