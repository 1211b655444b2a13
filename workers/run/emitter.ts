import type { RunEvent } from "../../common/contracts/events.ts";
import { applyRunEvent, type RunView } from "../../common/contracts/run-view.ts";
import type { NewEntry } from "../../common/journal/port.ts";
import type { JournalWriter } from "../../common/journal/writer.ts";
import { entryOf } from "../../common/lifecycle/deps.ts";
import { textEvents } from "../../common/lifecycle/repair.ts";
import type { Redactor, RedactorStream } from "../../common/logging/redact.ts";

/**
 * Turns what an engine says into journaled events: redacts it once, before anything else sees it (security 12), and keeps
 * the view of everything that was handed to the journal, which is what a stop or a failure commits (C-7). The view's numbers
 * are its own: text that the journal takes in one entry counts here delta by delta.
 */
export interface Emitter {
  /** What has been emitted in this run, earlier attempts included. */
  readonly view: RunView;
  /** Appends soon; the promise (if any) is back-pressure. */
  emit(event: RunEvent): Promise<void> | undefined;
  /** A delta of visible text or reasoning of a step. */
  text(kind: TextKind, step: number, delta: string): Promise<void> | undefined;
  /** Lets out what the redactor holds back; before every other kind of event and at the end. */
  settleText(): void;
}

type TextKind = "token" | "reasoning";

/** Longest text that later deltas are added to, in characters. */
const MAX_JOINED = 4_000;

export const createEmitter = (
  view: RunView,
  attempt: number,
  writer: Pick<JournalWriter, "push" | "amend">,
  redactor: Redactor,
): Emitter => {
  // One stream per kind until the step ends: a key must not slip through in halves with reasoning between them.
  const open = new Map<TextKind, RedactorStream>();
  let openStep = 0;
  let last: {
    readonly kind: TextKind;
    readonly step: number;
    readonly text: string;
    readonly entry: NewEntry;
  } | null = null;

  const see = (event: RunEvent): void => {
    const envelope = { event: event.event, run_id: view.runId, run_seq: view.lastSeq + 1, attempt };
    applyRunEvent(view, { ...event.payload, ...envelope });
  };

  const pushText = (kind: TextKind, step: number, text: string): Promise<void> | undefined => {
    see({ event: kind, payload: { text, step } });
    if (last?.kind === kind && last.step === step && last.text.length + text.length <= MAX_JOINED) {
      const joined = last.text + text;
      const entry = entryOf({ event: kind, payload: { text: joined, step } });
      if (writer.amend(last.entry, entry)) {
        last = { kind, step, text: joined, entry };
        return undefined;
      }
    }
    const entry = entryOf({ event: kind, payload: { text, step } });
    last = { kind, step, text, entry };
    return writer.push(entry);
  };
  const show = (kind: TextKind, step: number, text: string): Promise<void> | undefined => {
    let wait: Promise<void> | undefined;
    for (const event of textEvents(kind, step, text)) wait = pushText(kind, step, event.payload.text);
    return wait;
  };
  const settleText = (): void => {
    for (const [kind, stream] of open) show(kind, openStep, stream.flush());
    open.clear();
  };
  const streamOf = (kind: TextKind, step: number): RedactorStream => {
    if (step !== openStep) settleText();
    openStep = step;
    const stream = open.get(kind) ?? redactor.stream();
    open.set(kind, stream);
    return stream;
  };

  return {
    view,
    settleText,
    emit: (event) => {
      settleText();
      last = null;
      see(event);
      return writer.push(entryOf(event));
    },
    text: (kind, step, delta) => show(kind, step, streamOf(kind, step).push(delta)),
  };
};
