import type { RunEvent } from "../contracts/events.ts";
import type { ToolCall } from "../contracts/message.ts";
import {
  type RunView,
  type ToolPart,
  type ViewPart,
  viewReasoning,
  viewText,
} from "../contracts/run-view.ts";
import { toolCompleteEvent, toolEvent } from "./tool-events.ts";

/** A step as the database knows it; what the journal shows of the run must come to agree with it. */
export interface KnownStep {
  readonly step: number;
  readonly text: string;
  readonly reasoning: string;
  readonly tools: readonly KnownTool[];
}
export interface KnownTool {
  readonly call: ToolCall;
  /** null: not started, or started and nothing known of its end. */
  readonly end: {
    readonly result: string;
    readonly isError: boolean;
    readonly outcome: "done" | "stopped" | "unknown";
    readonly durationS: number | null;
  } | null;
  readonly started: boolean;
}

/** Longest text of one event that repairs a lost one: far below a frame's limit, whatever the characters. */
const CHUNK = 32_000;

/**
 * The events that bring what a client has seen (`view`, folded from the journal) to what is true (`known`): nothing where
 * they agree, the rest where the journal lost its tail, a `step_reset` and the right text where they differ. Whatever the
 * journal shows of a step after the known ones belonged to a model call that did not finish, and is taken back.
 */
export const repairEvents = (view: RunView, known: readonly KnownStep[]): RunEvent[] => {
  const events: RunEvent[] = [];
  let reset = false;
  for (const step of known) {
    const shown = reset ? "" : viewText(view, step.step);
    const thought = reset ? "" : viewReasoning(view, step.step);
    const isWhole = step.text === shown && step.reasoning === thought;
    // What is missing can be said now only where nothing later has been shown: it would stand behind that.
    const agrees =
      step.text.startsWith(shown) &&
      step.reasoning.startsWith(thought) &&
      (isWhole || reset || !view.parts.some((part) => part.step > step.step));
    if (!agrees) {
      // Everything shown from here on goes, that of later steps too.
      reset = true;
      events.push({
        event: "step_reset",
        payload: { step: step.step, keep_run_seq: firstSeqOf(view, step.step) - 1 },
      });
    }
    events.push(...textEvents("reasoning", step.step, step.reasoning.slice(agrees ? thought.length : 0)));
    events.push(...textEvents("token", step.step, step.text.slice(agrees ? shown.length : 0)));
    events.push(...toolEvents(step, (tid) => (reset ? null : findTool(view, step.step, tid))));
  }
  const open = (known.at(-1)?.step ?? 0) + 1;
  if (!reset && view.parts.some((part) => part.step >= open)) {
    events.push({ event: "step_reset", payload: { step: open, keep_run_seq: firstSeqOf(view, open) - 1 } });
  }
  return events;
};

type TextEvent = Extract<RunEvent, { event: "token" | "reasoning" }>;

/** A text as events that each fit a frame. */
export const textEvents = (event: "token" | "reasoning", step: number, text: string): TextEvent[] => {
  const events: TextEvent[] = [];
  for (let from = 0; from < text.length; from += CHUNK) {
    events.push({ event, payload: { text: text.slice(from, from + CHUNK), step } });
  }
  return events;
};

const toolEvents = (step: KnownStep, shown: (tid: string) => ToolPart | null): RunEvent[] => {
  const events: RunEvent[] = [];
  for (const { call, end, started } of step.tools) {
    const part = shown(call.id);
    if (part === null && started) events.push(toolEvent(step.step, call));
    if (end !== null && started && (part === null || part.result === null)) {
      events.push(toolCompleteEvent(step.step, call, end));
    }
  }
  return events;
};

const findTool = (view: RunView, step: number, tid: string): ToolPart | null =>
  view.parts.find(
    (part): part is ToolPart => part.kind === "tool" && part.step === step && part.tid === tid,
  ) ?? null;

const firstSeqOf = (view: RunView, step: number): number => {
  const seqOf = (part: ViewPart): number =>
    part.kind === "tool" ? part.seq : (part.marks[0]?.[0] ?? view.lastSeq + 1);
  const seqs = view.parts.filter((part) => part.step >= step).map(seqOf);
  return seqs.length === 0 ? view.lastSeq + 1 : Math.min(...seqs);
};
