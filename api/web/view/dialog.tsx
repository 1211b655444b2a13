import { type ReactNode, useEffect, useId, useRef } from "react";

/** A dialog over the page, named by its title; Escape and the backdrop close it, and `close` does. `onClose` takes it away. */
export const Dialog = (props: {
  readonly title: string;
  readonly className?: string;
  readonly onClose: () => void;
  readonly children: (close: () => void) => ReactNode;
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
      className={props.className === undefined ? "dialog" : `dialog ${props.className}`}
      aria-labelledby={id}
      onClose={props.onClose}
      onClick={(event) => event.target === dialog.current && close()}
    >
      <div className="dialog-body">
        <h2 id={id}>{props.title}</h2>
        {props.children(close)}
      </div>
    </dialog>
  );
};
