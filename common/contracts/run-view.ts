import type { RunEventEnvelope, RunEventName, RunEventPayload, TerminalEventName } from "./events.ts";

/**
 * What a run has shown so far, folded from its events. One fold serves the worker (what did the crashed attempt show?),
 * the snapshot and the browser, so that all three agree (R-50, section 10). Applying is idempotent by `run_seq`.
 */
export interface RunView {
  readonly runId: string;
  /** Highest run_seq applied; the applied set is always 1..lastSeq. */
  lastSeq: number;
  attempt: number;
  status: "queued" | "running" | "ended";
  position: number;
  readonly parts: ViewPart[];
  readonly warnings: RunEventPayload<"warning">[];
  readonly completedSteps: Set<number>;
  /** The context is being compressed; whatever comes next ends that (B-28). */
  compressing: boolean;
  readonly compressed: RunEventPayload<"compressed">[];
  terminal: { readonly event: TerminalEventName; readonly payload: Record<string, unknown> } | null;
  /** Set by a `step_reset` or a second attempt: something was taken over after a crash. */
  recovered: boolean;
}

export interface TextPart {
  readonly kind: "text" | "reasoning";
  readonly step: number;
  text: string;
  /** [run_seq, length after it] of each delta, so that a `step_reset` can cut exactly. */
  readonly marks: (readonly [number, number])[];
}

export interface ToolPart {
  readonly kind: "tool";
  readonly step: number;
  readonly seq: number;
  readonly tid: string;
  readonly name: string;
  readonly args: Record<string, unknown>;
  result: { readonly seq: number; readonly payload: RunEventPayload<"tool_complete"> } | null;
}

export type ViewPart = TextPart | ToolPart;

/** A decoded frame of a run: envelope plus payload. */
export type RunFrame = RunEventEnvelope & { readonly event: string } & Record<string, unknown>;

export const createRunView = (runId: string): RunView => ({
  runId,
  lastSeq: 0,
  attempt: 0,
  status: "queued",
  position: 0,
  parts: [],
  warnings: [],
  completedSteps: new Set(),
  compressing: false,
  compressed: [],
  terminal: null,
  recovered: false,
});

/**
 * Applies one event, in place. Returns "applied", "duplicate" (already in the view: nothing changed) or "gap" (an event
 * before it is missing: nothing changed; reconnect with `lastSeq`).
 */
export const applyRunEvent = (view: RunView, frame: RunFrame): "applied" | "duplicate" | "gap" => {
  if (frame.run_seq <= view.lastSeq) return "duplicate";
  if (frame.run_seq !== view.lastSeq + 1) return "gap";
  view.lastSeq = frame.run_seq;
  view.compressing = frame.event === "compressing";
  const payload = frame as unknown;
  switch (frame.event as RunEventName) {
    case "run_queued":
      view.position = (payload as RunEventPayload<"run_queued">).position;
      break;
    case "run_started":
      if (view.status === "running" && frame.attempt > view.attempt) view.recovered = true;
      view.attempt = frame.attempt;
      view.status = "running";
      break;
    case "token":
      addText(view, "text", payload as RunEventPayload<"token">, frame.run_seq);
      break;
    case "reasoning":
      addText(view, "reasoning", payload as RunEventPayload<"reasoning">, frame.run_seq);
      break;
    case "tool": {
      const { step, tid, name, args } = payload as RunEventPayload<"tool">;
      view.parts.push({ kind: "tool", step, seq: frame.run_seq, tid, name, args, result: null });
      break;
    }
    case "tool_complete": {
      const result = payload as RunEventPayload<"tool_complete">;
      const call = view.parts.findLast((p): p is ToolPart => p.kind === "tool" && p.tid === result.tid);
      if (call) call.result = { seq: frame.run_seq, payload: result };
      break;
    }
    case "step_complete":
      view.completedSteps.add((payload as RunEventPayload<"step_complete">).step);
      break;
    case "step_reset": {
      const { step, keep_run_seq } = payload as RunEventPayload<"step_reset">;
      resetStep(view, step, keep_run_seq);
      view.recovered = true;
      break;
    }
    case "compressed":
      view.compressed.push(payload as RunEventPayload<"compressed">);
      break;
    case "warning":
      view.warnings.push(payload as RunEventPayload<"warning">);
      break;
    case "done":
    case "cancel":
    case "apperror":
    case "interrupted":
      view.terminal = { event: frame.event as TerminalEventName, payload: frame };
      view.status = "ended";
      break;
    case "stream_end":
      view.status = "ended";
      break;
    default: // an event of a newer server moves nothing but the cursor
  }
  return "applied";
};

/** The visible text of the whole run, or of one step. */
export const viewText = (view: RunView, step?: number): string => joined(view, "text", step);
/** The reasoning of the whole run, or of one step. */
export const viewReasoning = (view: RunView, step?: number): string => joined(view, "reasoning", step);

const joined = (view: RunView, kind: TextPart["kind"], step?: number): string => {
  let text = "";
  for (const part of view.parts)
    if (part.kind === kind && (step === undefined || part.step === step)) text += part.text;
  return text;
};

const addText = (
  view: RunView,
  kind: TextPart["kind"],
  { text, step }: { text: string; step: number },
  seq: number,
): void => {
  let part = view.parts.at(-1);
  if (part?.kind !== kind || part.step !== step) {
    part = { kind, step, text: "", marks: [] };
    view.parts.push(part);
  }
  part.text += text;
  part.marks.push([seq, part.text.length]);
};

/** Drops what `step` (and anything later) has shown after `keep`. */
const resetStep = (view: RunView, step: number, keep: number): void => {
  for (let i = view.parts.length - 1; i >= 0; i--) {
    const part = view.parts[i];
    if (part === undefined || part.step < step) continue;
    if (part.kind === "tool") {
      if (part.seq > keep) view.parts.splice(i, 1);
      else if (part.result !== null && part.result.seq > keep) part.result = null;
      continue;
    }
    while ((part.marks.at(-1)?.[0] ?? 0) > keep) part.marks.pop();
    part.text = part.text.slice(0, part.marks.at(-1)?.[1] ?? 0);
    if (part.marks.length === 0) view.parts.splice(i, 1);
  }
  for (const done of view.completedSteps) if (done >= step) view.completedSteps.delete(done);
};
