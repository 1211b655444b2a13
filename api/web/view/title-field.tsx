import { useEffect, useRef } from "react";

/** A title being edited: Enter or leaving saves, Escape gives up; an empty one leaves it to the server again. */
export const TitleField = (props: {
  readonly title: string;
  /** null: without a title of its own again. */
  readonly onSave: (title: string | null) => void;
  readonly onClose: () => void;
}) => {
  const field = useRef<HTMLInputElement>(null);
  const given = useRef(false);
  useEffect(() => {
    field.current?.focus();
    field.current?.select();
  }, []);
  const finish = (save: boolean): void => {
    if (given.current) return;
    given.current = true;
    const text = field.current?.value.trim() ?? "";
    if (save && text !== props.title) props.onSave(text === "" ? null : text);
    props.onClose();
  };
  return (
    <input
      ref={field}
      className="title-field"
      aria-label="Session title"
      defaultValue={props.title}
      maxLength={300}
      onBlur={() => finish(true)}
      onKeyDown={(event) => {
        if (event.key === "Enter" && !event.nativeEvent.isComposing) finish(true);
        if (event.key === "Escape") {
          event.stopPropagation();
          finish(false);
        }
      }}
    />
  );
};
