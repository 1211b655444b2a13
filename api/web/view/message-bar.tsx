import { createContext, type ReactNode, useContext, useState } from "react";
import { isForeign } from "../model/session-list.ts";
import { ConfirmDialog } from "./confirm-dialog.tsx";
import { CheckIcon, CopyIcon, CutIcon, ForkIcon, PencilIcon, RetryIcon, UndoIcon } from "./icons.tsx";
import { useCopy } from "./use-copy.ts";
import { useWorkbench } from "./use-workbench.ts";

/** Why the conversation cannot be changed now; in a context, so that a run's begin and end redraw the bars alone. */
export const LockContext = createContext<string | null>(null);

/** Under what a person wrote: where it came from, and what can be done with it. */
export const PromptBar = (props: {
  readonly sessionId: string;
  readonly messageId: string;
  readonly text: string;
  readonly origin: string;
}) => {
  const workbench = useWorkbench();
  const lock = useContext(LockContext);
  const [asking, setAsking] = useState(false);
  return (
    <div className="message-bar" data-side="end">
      <div className="message-actions">
        <CopyButton text={props.text} label="Copy the message" />
        <Action
          label="Edit the message"
          lock={lock}
          icon={<PencilIcon />}
          onClick={() => workbench.setEditing(props.sessionId, props.messageId)}
        />
        <Action label="Delete from here on" lock={lock} icon={<CutIcon />} onClick={() => setAsking(true)} />
      </div>
      <Origin origin={props.origin} />
      {asking && (
        <ConfirmDialog
          title="Delete from here on?"
          text="This message and everything after it will be gone."
          action="Delete"
          onConfirm={() => workbench.cutFrom(props.sessionId, props.messageId)}
          onClose={() => setAsking(false)}
        />
      )}
    </div>
  );
};

/** At the end of a turn. */
export const TurnBar = (props: {
  readonly sessionId: string;
  readonly lastMessageId: string;
  readonly text: string;
  readonly origin: string;
  readonly last: boolean;
}) => {
  const workbench = useWorkbench();
  const lock = useContext(LockContext);
  return (
    <div className="message-bar" data-side="start">
      <Origin origin={props.origin} />
      <div className="message-actions" data-last={props.last}>
        {props.text !== "" && <CopyButton text={props.text} label="Copy the answer" />}
        <Action
          label="Fork from here"
          lock={null}
          icon={<ForkIcon />}
          onClick={() => workbench.fork(props.sessionId, props.lastMessageId)}
        />
        {props.last && (
          <>
            <Action
              label="Retry"
              lock={lock}
              icon={<RetryIcon />}
              onClick={() => workbench.retry(props.sessionId)}
            />
            <Action
              label="Undo the last turn"
              lock={lock}
              icon={<UndoIcon />}
              onClick={() => workbench.undo(props.sessionId)}
            />
          </>
        )}
      </div>
    </div>
  );
};

/** Its place is there with and without it, so that nothing moves. */
const Origin = ({ origin }: { readonly origin: string }) =>
  isForeign(origin) ? (
    <span className="origin" title={`Written by: ${origin}`}>
      <span className="visually-hidden">Written by </span>
      {origin}
    </span>
  ) : null;

const Action = (props: {
  readonly label: string;
  readonly lock: string | null;
  readonly icon: ReactNode;
  readonly onClick: () => void;
}) => (
  <button
    className="icon-button small"
    type="button"
    aria-label={props.label}
    aria-disabled={props.lock !== null}
    title={props.lock === null ? props.label : `${props.label}: ${props.lock}`}
    onClick={() => props.lock === null && props.onClick()}
  >
    {props.icon}
  </button>
);

const CopyButton = ({ text, label }: { readonly text: string; readonly label: string }) => {
  const { copied, copy } = useCopy();
  return (
    <Action
      label={copied ? "Copied" : label}
      lock={null}
      icon={copied ? <CheckIcon /> : <CopyIcon />}
      onClick={() => copy(text)}
    />
  );
};
