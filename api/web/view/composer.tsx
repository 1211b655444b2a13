import { type RefObject, useEffect, useLayoutEffect, useRef, useState } from "react";
import { SendIcon, StopIcon } from "./icons.tsx";
import { useWorkbench } from "./use-workbench.ts";

const MAX_HEIGHT = 280;

/** Enter sends, Shift+Enter breaks the line, Escape goes to Stop. What is typed is kept per session. */
export const Composer = (props: {
  readonly sessionId: string | null;
  /** Counts the drafts that something else wrote: each is taken over. */
  readonly drafted: number;
  readonly field: RefObject<HTMLTextAreaElement | null>;
  readonly disabled: boolean;
  readonly busy: boolean;
  readonly stopping: boolean;
  readonly onStop: (() => void) | null;
}) => {
  const { sessionId, field } = props;
  const workbench = useWorkbench();
  const [text, setText] = useState(() => workbench.drafts.read(sessionId));
  const shown = useRef(sessionId);
  const stop = useRef<HTMLButtonElement>(null);

  useEffect(() => {
    shown.current = sessionId;
    setText(workbench.drafts.read(sessionId));
    if (matchMedia("(hover: hover)").matches) field.current?.focus();
  }, [sessionId, workbench, field]);

  const drafted = useRef(props.drafted);
  useEffect(() => {
    if (drafted.current === props.drafted) return;
    drafted.current = props.drafted;
    setText(workbench.drafts.read(shown.current));
    field.current?.focus();
  }, [props.drafted, workbench, field]);

  // biome-ignore lint/correctness/useExhaustiveDependencies: the height follows the text
  useLayoutEffect(() => {
    const area = field.current;
    if (area === null) return;
    area.style.height = "auto";
    area.style.height = `${Math.min(area.scrollHeight, MAX_HEIGHT)}px`;
  }, [text, field]);

  // The Stop button goes with the run; a keyboard must not be left nowhere.
  useEffect(() => {
    if (!props.busy && document.activeElement === document.body && matchMedia("(hover: hover)").matches)
      field.current?.focus();
  }, [props.busy, field]);

  const change = (next: string): void => {
    setText(next);
    workbench.drafts.write(sessionId, next);
  };
  const send = async (): Promise<void> => {
    const message = text.trim();
    if (message === "" || props.disabled) return;
    change("");
    const sent = await workbench.send(sessionId, message);
    if (!sent) setText(workbench.drafts.read(shown.current));
  };

  return (
    <form
      className="composer"
      onSubmit={(event) => {
        event.preventDefault();
        void send();
      }}
    >
      <textarea
        id="composer"
        ref={field}
        rows={1}
        value={text}
        disabled={props.disabled}
        aria-label="Message"
        placeholder={props.busy ? "Write the next message; it waits its turn" : "Message the agent"}
        onChange={(event) => change(event.target.value)}
        onKeyDown={(event) => {
          if (event.key === "Enter" && !event.shiftKey && !event.nativeEvent.isComposing) {
            event.preventDefault();
            void send();
          } else if (event.key === "Escape") stop.current?.focus();
        }}
      />
      <div className="composer-row">
        <span className="hint">
          <kbd>Enter</kbd> sends · <kbd>Shift Enter</kbd> new line
          {props.busy && (
            <>
              {" · "}
              <kbd>Esc</kbd> to Stop
            </>
          )}
        </span>
        {props.onStop !== null && (
          <button
            ref={stop}
            className="round-button stop"
            type="button"
            disabled={props.stopping}
            aria-label={props.stopping ? "Stopping" : "Stop the run"}
            onClick={props.onStop}
          >
            <StopIcon />
            <span>{props.stopping ? "Stopping…" : "Stop"}</span>
          </button>
        )}
        <button
          className="round-button send"
          type="submit"
          disabled={text.trim() === "" || props.disabled}
          aria-label={props.busy ? "Queue the message" : "Send the message"}
        >
          <SendIcon />
        </button>
      </div>
    </form>
  );
};
