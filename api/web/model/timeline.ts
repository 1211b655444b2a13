import type { Message } from "../../../common/contracts/message.ts";
import type { RunView } from "../../../common/contracts/run-view.ts";
import { isForeign } from "./session-list.ts";
import type { LiveRun, PendingStart, RunFacts, SessionState } from "./session-state.ts";
import { isCommitted } from "./settle.ts";

export type ToolState = "running" | "done" | "failed" | "stopped" | "unknown";

/** What a turn shows, in order; the same shape for a live view and for committed messages, so that settling redraws nothing. */
export type Part =
  | {
      readonly kind: "text" | "reasoning";
      readonly key: string;
      readonly text: string;
      readonly open: boolean;
      /** The message it stands in; null while it is being written. */
      readonly at: string | null;
    }
  | ToolCard;
export interface ToolCard {
  readonly kind: "tool";
  readonly key: string;
  readonly name: string;
  /** The arguments as JSON text. */
  readonly args: string;
  readonly state: ToolState;
  readonly result: string | null;
  /** Seconds. */
  readonly duration: number | null;
  /** The message of the result, or of the call without one. */
  readonly at: string | null;
}

export interface Turn {
  readonly key: string;
  readonly runId: string | null;
  readonly committed: readonly Message[];
  readonly live: LiveRun | null;
  readonly facts: RunFacts | null;
  /** How many runs of the session come first; null: at the head of the queue, or begun. */
  readonly queued: number | null;
  readonly pending: PendingStart | null;
}

/**
 * The conversation as turns: messages of one run stand together at the place of its first one, whatever came in between.
 * A run is shown either from its committed messages or from its live view, never both and never neither.
 */
export const timelineOf = (state: SessionState): readonly Turn[] => {
  const line = [...state.runs.values()].filter((run) => !run.awaiting);
  const turns: Turn[] = groupMessages(state.messages).map(({ key, runId, messages }) => {
    const live = runId === null || isCommitted(messages, runId) ? null : (state.runs.get(runId) ?? null);
    return {
      key,
      runId,
      committed: messages,
      live,
      facts: runId === null ? null : (state.settled.get(runId) ?? null),
      queued: live === null ? null : placeOf(line, live),
      pending: null,
    };
  });
  const shown = new Set(turns.map((turn) => turn.runId));
  for (const live of state.runs.values())
    if (!shown.has(live.runId)) turns.push(bareTurn(live.runId, { live }));
  for (const pending of state.pending)
    if (!isShown(state, pending)) turns.push(bareTurn(pending.runId ?? pending.key, { pending }));
  return turns;
};

const placeOf = (line: readonly LiveRun[], run: LiveRun): number | null => {
  const place = line.indexOf(run);
  return run.view.status === "queued" && place > 0 ? place : null;
};

/** Only for the eye: the run's own message may be here before the answer that names the run. */
const isShown = (state: SessionState, { runId, text }: PendingStart): boolean => {
  if (runId !== null) return state.messages.some((message) => message.run_id === runId);
  const last = state.messages.findLast((message) => message.role === "user");
  return last?.content === text && last.run_id !== null && state.runs.has(last.run_id);
};

const bareTurn = (key: string, part: Partial<Turn>): Turn => ({
  key,
  runId: part.live?.runId ?? null,
  committed: [],
  live: null,
  facts: null,
  queued: null,
  pending: null,
  ...part,
});

const groupMessages = (
  messages: readonly Message[],
): readonly {
  readonly key: string;
  readonly runId: string | null;
  readonly messages: readonly Message[];
}[] => {
  const groups: { key: string; runId: string | null; messages: Message[] }[] = [];
  const ofRun = new Map<string, Message[]>();
  for (const message of messages) {
    const open =
      message.run_id !== null ? ofRun.get(message.run_id) : joinsLast(groups.at(-1)?.runId, message);
    if (open === undefined || (open === true && groups.length === 0)) {
      const group = { key: message.run_id ?? message.id, runId: message.run_id, messages: [message] };
      groups.push(group);
      if (message.run_id !== null) ofRun.set(message.run_id, group.messages);
    } else if (open === true) groups.at(-1)?.messages.push(message);
    else open.push(message);
  }
  return groups;
};

/** A message that no run of ours wrote begins a turn when a person wrote it, and belongs to the one before otherwise. */
const joinsLast = (lastRunId: string | null | undefined, message: Message): true | undefined =>
  message.role !== "user" && lastRunId === null ? true : undefined;

/** The parts of a live view. `open` marks what is still being written. */
export const partsOfView = (view: RunView, ended: boolean): readonly Part[] => {
  const keys = keyMaker();
  return view.parts.map((part, i): Part => {
    if (part.kind !== "tool") {
      const open = !ended && view.status === "running" && i === view.parts.length - 1;
      return { kind: part.kind, key: keys(part.kind), text: part.text, open, at: null };
    }
    const result = part.result?.payload ?? null;
    return {
      kind: "tool",
      key: keys("tool"),
      name: part.name,
      args: JSON.stringify(part.args, null, 2),
      state: result === null ? (ended ? "stopped" : "running") : stateOf(result.outcome, result.is_error),
      result: result?.preview ?? null,
      duration: result?.duration ?? null,
      at: null,
    };
  });
};

/** The parts of committed messages; `facts` adds what only the events told. */
export const partsOfMessages = (messages: readonly Message[], facts: RunFacts | null): readonly Part[] => {
  const keys = keyMaker();
  const results = new Map(messages.map((message) => [message.tool_call_id, message]));
  const parts: Part[] = [];
  const add = (kind: "text" | "reasoning", text: string, at: string): void => {
    if (text !== "") parts.push({ kind, key: keys(kind), text, open: false, at });
  };
  for (const message of messages) {
    if (message.role !== "assistant") continue;
    add("reasoning", message.reasoning ?? "", message.id);
    add("text", message.content, message.id);
    for (const call of message.tool_calls ?? []) {
      const fact = facts?.tools.get(call.id);
      const result = results.get(call.id);
      parts.push({
        kind: "tool",
        key: keys("tool"),
        name: call.function.name,
        args: prettyJson(call.function.arguments),
        state: fact ? stateOf(fact.outcome, fact.is_error) : storedState(result),
        result: result?.content ?? fact?.preview ?? null,
        duration: fact?.duration ?? null,
        at: result?.id ?? message.id,
      });
    }
  }
  return parts;
};

/** All that the assistant said in a turn, as it is copied. */
export const answerText = (messages: readonly Message[]): string =>
  messages
    .filter((message) => message.role === "assistant" && message.content !== "")
    .map((message) => message.content)
    .join("\n\n");

/** Who wrote a turn's answer: the first other program among its messages, otherwise this one. */
export const answerOrigin = (messages: readonly Message[]): string =>
  messages.find((message) => message.role !== "user" && isForeign(message.origin))?.origin ?? "talaria";

const stateOf = (outcome: "done" | "stopped" | "unknown", isError: boolean): ToolState =>
  outcome === "done" ? (isError ? "failed" : "done") : outcome;

const storedState = (result: Message | undefined): ToolState => {
  if (result === undefined || result.status === "cancelled") return "stopped";
  if (result.status === "interrupted") return "unknown";
  return result.is_error === true ? "failed" : "done";
};

/** Keys count per kind: a part keeps its place on the screen when the committed turn replaces the live one. */
const keyMaker = (): ((kind: Part["kind"]) => string) => {
  const counts = { text: 0, reasoning: 0, tool: 0 };
  return (kind) => `${kind}${counts[kind]++}`;
};

const prettyJson = (text: string): string => {
  try {
    return JSON.stringify(JSON.parse(text), null, 2);
  } catch {
    return text;
  }
};
