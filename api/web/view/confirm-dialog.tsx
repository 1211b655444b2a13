import { Dialog } from "./dialog.tsx";

/** A question with two answers; Escape and the backdrop mean no. */
export const ConfirmDialog = (props: {
  readonly title: string;
  readonly text: string;
  readonly action: string;
  /** What the answer no is called. */
  readonly keep?: string;
  readonly onConfirm: () => void;
  readonly onClose: () => void;
}) => (
  <Dialog title={props.title} onClose={props.onClose}>
    {(close) => (
      <>
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
      </>
    )}
  </Dialog>
);
