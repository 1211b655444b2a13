import { abandonedResult } from "../contracts/abandoned-result.ts";
import type { MessageStatus } from "../contracts/message.ts";
import { cancelNotice, failedNotice, interruptedNotice } from "../contracts/notices.ts";
import type { RunErrorCode, Usage } from "../contracts/run.ts";
import { type RunView, viewReasoning, viewText } from "../contracts/run-view.ts";
import type { Evidence, NewMessage, Outcome, StepUsageRecord } from "../runs/ledger.ts";
import type { KnownStep } from "./repair.ts";

/** Why a run ends without its answer being complete. */
export type EndReason =
  | { readonly kind: "cancelled" }
  | { readonly kind: "interrupted"; readonly message: string }
  | {
      readonly kind: "failed";
      readonly code: RunErrorCode;
      readonly message: string;
      readonly hint?: string;
      readonly detail?: string;
    };

/** The turn of a run whose last model call finished with `text`. */
export const completedOutcome = (
  evidence: Evidence,
  last: { readonly text: string; readonly reasoning: string },
  usage: Usage,
  stepLimit: boolean,
): Outcome => ({
  status: "completed",
  messages: [
    ...recordedMessages(evidence, "unknown"),
    ...(stepLimit
      ? []
      : [
          {
            role: "assistant" as const,
            content: last.text,
            reasoning: last.reasoning,
            status: "complete" as const,
          },
        ]),
  ],
  usage,
  error: null,
  ...(stepLimit ? { terminalState: "tool_limit_reached" as const } : {}),
});

/**
 * The turn of a run that ends before its answer is complete: everything that was shown is kept (C-7), an open tool call
 * gets a result that says so, and a notice tells why. The notice is never shown to a model.
 */
export const partialOutcome = (
  reason: EndReason,
  evidence: Evidence,
  view: RunView,
  botName: string | null,
  usage: Usage | null,
): Outcome => {
  const open = (evidence.steps.at(-1)?.step ?? 0) + 1;
  const text = viewText(view, open);
  const reasoning = viewReasoning(view, open);
  const status: MessageStatus = reason.kind;
  const messages = recordedMessages(evidence, reason.kind === "cancelled" ? "stopped" : "unknown");
  if (text !== "" || reasoning !== "") messages.push({ role: "assistant", content: text, reasoning, status });
  messages.push({ role: "notice", content: noticeOf(reason, botName, view.status === "queued"), status });
  return {
    status: reason.kind,
    messages,
    usage,
    error:
      reason.kind === "failed"
        ? errorOf(reason)
        : reason.kind === "interrupted"
          ? { code: "interrupted", message: reason.message }
          : null,
  };
};

/** Recorded steps and tools as the journal should show them. */
export const knownSteps = (evidence: Evidence): KnownStep[] =>
  evidence.steps.map((step) => ({
    step: step.step,
    text: step.text,
    reasoning: step.reasoning,
    tools: step.toolCalls.map((call) => {
      const record = evidence.tools.find((tool) => tool.step === step.step && tool.callId === call.id);
      const ended = record !== undefined && record.state !== "started";
      return {
        call,
        started: record !== undefined,
        end: ended
          ? {
              result: record.result ?? "",
              isError: record.isError,
              outcome: record.state === "unknown" ? ("unknown" as const) : ("done" as const),
              durationS: record.durationS,
            }
          : null,
      };
    }),
  }));

export const sumUsage = (steps: readonly StepUsageRecord[], durationS: number): Usage => ({
  input_tokens: sum(steps, (s) => s.inputTokens),
  output_tokens: sum(steps, (s) => s.outputTokens),
  reasoning_tokens: sum(steps, (s) => s.reasoningTokens),
  cache_read_tokens: sum(steps, (s) => s.cacheReadTokens),
  duration_seconds: durationS,
});

const sum = <T>(items: readonly T[], of: (item: T) => number): number =>
  items.reduce((total, item) => total + of(item), 0);

const recordedMessages = (evidence: Evidence, open: "stopped" | "unknown"): NewMessage[] => {
  const messages: NewMessage[] = [];
  for (const step of evidence.steps) {
    messages.push({
      role: "assistant",
      content: step.text,
      reasoning: step.reasoning,
      toolCalls: step.toolCalls,
      status: "complete",
    });
    for (const call of step.toolCalls) {
      const record = evidence.tools.find((tool) => tool.step === step.step && tool.callId === call.id);
      const ended = record !== undefined && record.state !== "started";
      messages.push({
        role: "tool",
        content: ended ? (record.result ?? "") : abandonedResult(record === undefined ? "stopped" : open),
        toolCallId: call.id,
        toolName: call.function.name,
        isError: ended ? record.isError : true,
        status: "complete",
      });
    }
  }
  return messages;
};

const noticeOf = (reason: EndReason, botName: string | null, beforeStart: boolean): string => {
  switch (reason.kind) {
    case "cancelled":
      return cancelNotice(botName, { beforeStart });
    case "interrupted":
      return interruptedNotice(reason.message);
    case "failed":
      return failedNotice(reason);
  }
};

const errorOf = (reason: Extract<EndReason, { kind: "failed" }>): NonNullable<Outcome["error"]> => ({
  code: reason.code,
  message: reason.message,
  ...(reason.hint === undefined ? {} : { hint: reason.hint }),
  ...(reason.detail === undefined ? {} : { detail: reason.detail.slice(0, 1_200) }),
});
