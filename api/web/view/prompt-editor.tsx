import { useEffect, useLayoutEffect, useRef, useState } from "react";
import { useWorkbench } from "./use-workbench.ts";

const MAX_HEIGHT = 360;

/** A message being edited in its place: Ctrl or Cmd with Enter sends, Escape gives up. */
export const PromptEditor = (props: {
  readonly sessionId: string;
  readonly messageId: string;
  readonly text: string;
  readonly lock: string | null;
}) => {
  const workbench = useWorkbench();
  const field = useRef<HTMLTextAreaElement>(null);
  const [text, setText] = useState(props.text);
  const ready = text.trim() !== "" && props.lock === null;

  useEffect(() => {
    const area = field.current;
    area?.focus();
    area?.setSelectionRange(area.value.length, area.value.length);
  }, []);
  // biome-ignore lint/correctness/useExhaustiveDependencies: the height follows the text
  useLayoutEffect(() => {
    const area = field.current;
    if (area === null) return;
    area.style.height = "auto";
    area.style.height = `${Math.min(area.scrollHeight + 2, MAX_HEIGHT)}px`;
  }, [text]);

  /** The keyboard goes on where the editing began. */
  const close = (): void => {
    workbench.setEditing(props.sessionId, null);
    requestAnimationFrame(() =>
      document
        .querySelector<HTMLElement>(`[data-message="${CSS.escape(props.messageId)}"] [aria-label^="Edit"]`)
        ?.focus(),
    );
  };
  const send = (): void => {
    if (ready) void workbench.edit(props.sessionId, props.messageId, text.trim());
  };

  return (
    <form
      className="prompt-editor"
      onSubmit={(event) => {
        event.preventDefault();
        send();
      }}
    >
      <textarea
        ref={field}
        rows={1}
        value={text}
        aria-label="Edit the message"
        onChange={(event) => setText(event.target.value)}
        onKeyDown={(event) => {
          if (event.key === "Escape" && !event.nativeEvent.isComposing) {
            event.stopPropagation();
            close();
          } else if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) {
            event.preventDefault();
            send();
          }
        }}
      />
      <div className="prompt-editor-row">
        <span className="hint">{props.lock ?? "Sending replaces everything after it."}</span>
        <button className="button" type="button" onClick={close}>
          Cancel
        </button>
        <button className="button primary" type="submit" disabled={!ready}>
          Send
        </button>
      </div>
    </form>
  );
};
