import { useEffect, useId, useRef } from "react";

/** A question with two answers; Escape and the backdrop mean no. */
export const ConfirmDialog = (props: {
  readonly title: string;
  readonly text: string;
  readonly action: string;
  /** What the answer no is called. */
  readonly keep?: string;
  readonly onConfirm: () => void;
  readonly onClose: () => void;
}) => {
  const dialog = useRef<HTMLDialogElement>(null);
  const id = useId();
  useEffect(() => dialog.current?.showModal(), []);
  // Closing and not only taking it away: the browser then gives the focus back.
  const close = (): void => dialog.current?.close();
  return (
    // biome-ignore lint/a11y/useKeyWithClickEvents: the dialog closes on Escape by itself
    <dialog
      ref={dialog}
      className="dialog"
      aria-labelledby={id}
      onClose={props.onClose}
      onClick={(event) => event.target === dialog.current && close()}
    >
      <div className="dialog-body">
        <h2 id={id}>{props.title}</h2>
        <p>{props.text}</p>
        <div className="dialog-actions">
          <button className="button" type="button" onClick={close}>
            {props.keep ?? "Keep"}
          </button>
          <button
            className="button danger"
            type="button"
            onClick={() => {
              close();
              props.onConfirm();
            }}
          >
            {props.action}
          </button>
        </div>
      </div>
    </dialog>
  );
};
