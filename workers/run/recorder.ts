import type { ToolCall } from "../../common/contracts/message.ts";
import { viewReasoning, viewText } from "../../common/contracts/run-view.ts";
import type { JournalWriter } from "../../common/journal/writer.ts";
import type { LifecycleDeps } from "../../common/lifecycle/deps.ts";
import { toolCompleteEvent, toolEvent } from "../../common/lifecycle/tool-events.ts";
import type { Redactor } from "../../common/logging/redact.ts";
import type { StepUsageRecord } from "../../common/runs/ledger.ts";
import type { EngineEvent } from "../engines/port.ts";
import { compressedEvent, compressingEvent } from "./compression-events.ts";
import type { Emitter } from "./emitter.ts";
import { RunStop } from "./stop.ts";

/** The last model call's answer, once an engine has finished. */
export interface Answer {
  readonly text: string;
  readonly reasoning: string;
  readonly usages: readonly StepUsageRecord[];
  readonly stepLimit: boolean;
}

/**
 * Makes each engine event durable before the engine goes on: first in the database (what must not happen twice), then
 * in the journal (what people see). DESIGN 6.4; reliability 5.
 */
export const createRecorder = ({
  runId,
  sessionId,
  generation,
  write,
  emitter,
  journal,
  redactor,
  firstOutputAt,
}: {
  readonly runId: string;
  readonly sessionId: string;
  readonly generation: number;
  readonly write: Pick<LifecycleDeps["write"], "recordStep" | "recordToolStart" | "recordToolEnd">;
  readonly emitter: Emitter;
  readonly journal: Pick<JournalWriter, "flush">;
  readonly redactor: Redactor;
  /** When this attempt first showed something; null: it has not. */
  readonly firstOutputAt: () => number | null;
}) => {
  const usages: StepUsageRecord[] = [];
  let answer: { readonly text: string; readonly reasoning: string } = { text: "", reasoning: "" };
  let stepLimit = false;

  const redactCall = (call: ToolCall): ToolCall => ({
    ...call,
    function: { name: call.function.name, arguments: redactor.text(call.function.arguments) },
  });
  const shown = (step: number, tid: string) =>
    emitter.view.parts.find((part) => part.kind === "tool" && part.step === step && part.tid === tid);

  const stepEnd = async (event: Extract<EngineEvent, { type: "step_end" }>): Promise<void> => {
    emitter.settleText();
    const text = viewText(emitter.view, event.step);
    const reasoning = viewReasoning(emitter.view, event.step);
    usages.push(event.usage);
    emitter.emit({
      event: "step_complete",
      payload: { step: event.step, finish_reason: event.finishReason },
    });
    if (event.toolCalls.length === 0) {
      answer = { text, reasoning };
      return;
    }
    const toolCalls = event.toolCalls.map(redactCall);
    const step = { step: event.step, text, reasoning, toolCalls, usage: event.usage };
    await write.recordStep(runId, generation, step, firstOutputAt());
    await journal.flush();
  };

  const toolStart = async ({ step, call }: Extract<EngineEvent, { type: "tool_start" }>): Promise<void> => {
    if (
      (await write.recordToolStart(runId, generation, step, call.id, call.function.name)) === "cancelling"
    ) {
      throw new RunStop("cancel");
    }
    // An idempotent tool that runs again was shown by the attempt that died in it.
    if (shown(step, call.id) === undefined) emitter.emit(toolEvent(step, redactCall(call)));
    await journal.flush();
  };

  const toolEnd = async (event: Extract<EngineEvent, { type: "tool_end" }>): Promise<void> => {
    const { step, call, outcome, isError, durationS } = event;
    const result = redactor.text(event.result);
    const name = call.function.name;
    await write.recordToolEnd(runId, generation, {
      step,
      callId: call.id,
      name,
      outcome,
      result,
      isError,
      durationS,
    });
    const visible = redactCall(call);
    if (shown(step, call.id) === undefined) emitter.emit(toolEvent(step, visible));
    emitter.emit(toolCompleteEvent(step, visible, { result, isError, outcome, durationS }));
    await journal.flush();
  };

  return {
    /** Resolves when the engine may go on. Rejects with `stale_generation`, a `RunStop` or the journal's refusal. */
    record: async (event: EngineEvent): Promise<void> => {
      switch (event.type) {
        case "text":
          await emitter.text("token", event.step, event.text);
          return;
        case "reasoning":
          await emitter.text("reasoning", event.step, event.text);
          return;
        case "step_end":
          return stepEnd(event);
        case "tool_start":
          return toolStart(event);
        case "tool_end":
          return toolEnd(event);
        case "warning":
          await emitter.emit({
            event: "warning",
            payload: { type: event.kind, message: redactor.text(event.message) },
          });
          return;
        case "compressing":
          emitter.settleText();
          emitter.emit(compressingEvent(sessionId));
          await journal.flush();
          return;
        case "compressed":
          emitter.emit(compressedEvent(sessionId, event));
          await journal.flush();
          return;
        case "step_limit":
          stepLimit = true;
          return;
      }
    },
    answer: (): Answer => ({ ...answer, usages, stepLimit }),
  };
};
