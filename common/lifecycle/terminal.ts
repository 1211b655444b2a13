import type { RunEvent } from "../contracts/events.ts";
import type { Message } from "../contracts/message.ts";
import type { EndedTurn } from "../runs/ledger.ts";

/** A frame holds at most 256 KiB; a turn that is larger is read over HTTP instead of riding on the event. */
const MAX_TURN_CHARS = 60_000;

/** The one terminal event of an ended run and the end of its stream, derived from what was committed. */
export const terminalEvents = (turn: EndedTurn): RunEvent[] => [
  terminalEvent(turn),
  { event: "stream_end", payload: { session_id: turn.session.id } },
];

const terminalEvent = ({ record, session, messages }: EndedTurn): RunEvent => {
  const { run } = record;
  const committed = { session, ...(fits(messages) ? { messages: [...messages] } : {}) };
  const notice = messages.findLast((message) => message.role === "notice")?.content ?? "";
  switch (run.status) {
    case "cancelled":
      return {
        event: "cancel",
        payload: { ...committed, message: notice, type: "cancelled", status: "cancelled" },
      };
    case "interrupted":
      return {
        event: "interrupted",
        payload: { ...committed, session_id: session.id, message: run.error?.message ?? notice },
      };
    case "failed":
      return {
        event: "apperror",
        payload: {
          ...committed,
          session_id: session.id,
          type: run.error?.code ?? "error",
          message: run.error?.message ?? "",
          ...(record.errorHint === null ? {} : { hint: record.errorHint }),
          ...(record.errorDetail === null ? {} : { details: record.errorDetail }),
        },
      };
    default:
      return {
        event: "done",
        payload: {
          ...committed,
          usage: run.usage ?? {
            input_tokens: 0,
            output_tokens: 0,
            reasoning_tokens: 0,
            cache_read_tokens: 0,
            duration_seconds: 0,
          },
          ...(record.terminalState === null ? {} : { terminal_state: record.terminalState }),
        },
      };
  }
};

/** JSON escapes a character into at most six bytes ASCII or keeps at most four; 60,000 stay far below the limit. */
const fits = (messages: readonly Message[]): boolean => {
  let chars = 0;
  for (const message of messages) {
    chars += message.content.length + (message.reasoning?.length ?? 0) + 500;
    for (const call of message.tool_calls ?? []) chars += call.function.arguments.length + 200;
    if (chars > MAX_TURN_CHARS) return false;
  }
  return true;
};
