import type { RunEvent } from "../../common/contracts/events.ts";
import { applyRunEvent, type RunView } from "../../common/contracts/run-view.ts";
import type { JournalWriter } from "../../common/journal/writer.ts";
import { textEvents } from "../../common/lifecycle/repair.ts";
import type { Redactor, RedactorStream } from "../../common/logging/redact.ts";

/**
 * Turns what an engine says into journaled events: redacts it once, before anything else sees it (security 12), and keeps
 * the view of everything that was handed to the journal, which is what a stop or a failure commits (C-7).
 */
export interface Emitter {
  /** What has been emitted in this run, earlier attempts included. */
  readonly view: RunView;
  /** Appends soon; the promise (if any) is back-pressure. */
  emit(event: RunEvent): Promise<void> | undefined;
  /** A delta of visible text or reasoning of a step. */
  text(kind: "token" | "reasoning", step: number, delta: string): Promise<void> | undefined;
  /** Lets out what the redactor holds back; before every other kind of event and at the end. */
  settleText(): void;
}

export const createEmitter = (
  view: RunView,
  attempt: number,
  writer: Pick<JournalWriter, "push">,
  redactor: Redactor,
): Emitter => {
  let open: {
    readonly kind: "token" | "reasoning";
    readonly step: number;
    readonly stream: RedactorStream;
  } | null = null;

  const push = (event: RunEvent): Promise<void> | undefined => {
    applyRunEvent(view, {
      ...event.payload,
      event: event.event,
      run_id: view.runId,
      run_seq: view.lastSeq + 1,
      attempt,
    });
    return writer.push({ event: event.event, data: JSON.stringify(event.payload) });
  };
  const show = (kind: "token" | "reasoning", step: number, text: string): Promise<void> | undefined => {
    let last: Promise<void> | undefined;
    for (const event of textEvents(kind, step, text)) last = push(event);
    return last;
  };
  const settleText = (): void => {
    if (open === null) return;
    const { kind, step, stream } = open;
    open = null;
    show(kind, step, stream.flush());
  };

  return {
    view,
    settleText,
    emit: (event) => {
      settleText();
      return push(event);
    },
    text: (kind, step, delta) => {
      if (open?.kind !== kind || open.step !== step) {
        settleText();
        open = { kind, step, stream: redactor.stream() };
      }
      return show(kind, step, open.stream.push(delta));
    },
  };
};
