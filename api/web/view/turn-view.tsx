import { memo, useContext } from "react";
import type { Message } from "../../../common/contracts/message.ts";
import { EXHAUSTED, tokensText } from "../model/compression.ts";
import {
  answerOrigin,
  answerText,
  type Part,
  partsOfMessages,
  partsOfView,
  type Turn,
} from "../model/timeline.ts";
import { CloseIcon } from "./icons.tsx";
import { Markdown } from "./markdown.tsx";
import { LockContext, PromptBar, TurnBar } from "./message-bar.tsx";
import { ErrorCard, Notice } from "./notice.tsx";
import { ProcessNotice } from "./process-notice.tsx";
import { PromptEditor } from "./prompt-editor.tsx";
import { ReasoningCard } from "./reasoning-card.tsx";
import { ToolCardView } from "./tool-card.tsx";
import { useWorkbench } from "./use-workbench.ts";

interface TurnViewProps {
  readonly turn: Turn;
  readonly sessionId: string;
  /** Nothing comes after it. */
  readonly last: boolean;
  /** The message of this turn that is being edited. */
  readonly editing: string | null;
}

/** One message and what came of it. A turn that changed nothing is not drawn again. */
export const TurnView = memo(
  function TurnView({ turn, sessionId, last, editing }: TurnViewProps) {
    const { live } = turn;
    const asked = turn.committed.filter((message) => message.role === "user");
    const notices = turn.committed.filter((message) => message.role === "notice");
    const ended = live !== null && (live.awaiting || live.view.terminal !== null);
    const parts = live === null ? partsOfMessages(turn.committed, turn.facts) : partsOfView(live.view, ended);
    const working = live !== null && !ended && live.view.status === "running";

    return (
      <section
        className="turn"
        aria-label="Turn"
        aria-busy={working}
        data-live={live !== null}
        data-messages={turn.committed.map((message) => message.id).join(" ")}
      >
        {asked.map((message) =>
          message.source === undefined ? (
            <Prompt
              key={message.id}
              message={message}
              sessionId={sessionId}
              edited={message.id === editing}
            />
          ) : (
            <ProcessNotice key={message.id} message={message} />
          ),
        )}
        {turn.pending !== null && turn.pending.text !== "" && (
          <div className="user-row">
            <UserBubble text={turn.pending.text} />
            <div className="message-bar" data-side="end">
              <span className="turn-note">{turn.pending.retrying ? "Sending again…" : "Sending…"}</span>
            </div>
          </div>
        )}
        {turn.queued !== null && turn.runId !== null && (
          <QueuedNote place={turn.queued} runId={turn.runId} sessionId={sessionId} />
        )}
        {parts.map((part) => (
          <PartView key={part.key} part={part} />
        ))}
        {working && parts.length === 0 && <Waiting />}
        <Compressions turn={turn} />
        <Warnings turn={turn} />
        {notices.map((message) => (
          <Notice key={message.id} markdown={message.content} tone={toneOf(message)} />
        ))}
        {live?.localNotice && <Notice markdown={live.localNotice} tone="stopped" />}
        <Failure turn={turn} stored={notices.length > 0} />
        {last && isExhausted(turn) && <GoOn sessionId={sessionId} />}
        {(turn.facts?.recovered || live?.view.recovered) && (
          <p className="turn-note">
            Recovered after a crash: finished steps were kept, the unfinished one was begun again.
          </p>
        )}
        {turn.facts?.toolLimit && <p className="turn-note">The limit of tool calls was reached.</p>}
        <TurnEnd turn={turn} sessionId={sessionId} last={last} />
      </section>
    );
  },
  (a, b) =>
    a.sessionId === b.sessionId &&
    a.last === b.last &&
    a.editing === b.editing &&
    a.turn.live === b.turn.live &&
    a.turn.facts === b.turn.facts &&
    a.turn.queued === b.turn.queued &&
    a.turn.pending === b.turn.pending &&
    a.turn.committed.length === b.turn.committed.length &&
    a.turn.committed.every((message, i) => message === b.turn.committed[i]),
);

const PartView = ({ part }: { readonly part: Part }) => {
  switch (part.kind) {
    case "text":
      return (
        <div className="answer" data-message={part.at}>
          <Markdown text={part.text} streaming={part.open} />
        </div>
      );
    case "reasoning":
      return <ReasoningCard text={part.text} open={part.open} />;
    case "tool":
      return <ToolCardView card={part} />;
  }
};

const Prompt = (props: {
  readonly message: Message;
  readonly sessionId: string;
  readonly edited: boolean;
}) => {
  const { message, sessionId } = props;
  const lock = useContext(LockContext);
  if (props.edited)
    return <PromptEditor sessionId={sessionId} messageId={message.id} text={message.content} lock={lock} />;
  return (
    <div className="user-row" data-message={message.id}>
      <UserBubble text={message.content} />
      <PromptBar
        sessionId={sessionId}
        messageId={message.id}
        text={message.content}
        origin={message.origin}
      />
    </div>
  );
};

const UserBubble = ({ text }: { readonly text: string }) => (
  <div className="user-bubble">
    <span className="visually-hidden">You: </span>
    {text}
  </div>
);

/** Its place is kept while the turn is written, so that the end does not move the text. */
const TurnEnd = ({ turn, sessionId, last }: Omit<TurnViewProps, "editing">) => {
  const end = turn.committed.at(-1);
  if (turn.pending !== null) return null;
  if (turn.live !== null || end === undefined) return <div className="message-bar" />;
  return (
    <TurnBar
      sessionId={sessionId}
      lastMessageId={end.id}
      text={answerText(turn.committed)}
      origin={answerOrigin(turn.committed)}
      last={last}
    />
  );
};

const QueuedNote = (props: {
  readonly place: number;
  readonly runId: string;
  readonly sessionId: string;
}) => {
  const workbench = useWorkbench();
  return (
    <p className="turn-note queued-note">
      Queued, number {props.place}
      <button
        className="icon-button small"
        type="button"
        aria-label="Take the message out of the queue"
        onClick={() => workbench.stop(props.sessionId, props.runId)}
      >
        <CloseIcon />
      </button>
    </p>
  );
};

const Waiting = () => (
  <p className="waiting" aria-hidden="true">
    <span />
    <span />
    <span />
  </p>
);

/** Only while the turn goes on: afterwards the border in the conversation tells of it (B-28). */
const Compressions = ({ turn }: { readonly turn: Turn }) => {
  const view = turn.live?.view;
  if (view === undefined || view.terminal !== null) return null;
  return (
    <>
      {view.compressed.map(({ version, usage }) => (
        <p className="turn-note" key={version}>
          Context compressed: {tokensText({ before: usage.tokens_before, after: usage.tokens_after })}
        </p>
      ))}
      {view.compressing && (
        <p className="turn-note" role="status">
          Compressing the context…
        </p>
      )}
    </>
  );
};

/** The turn could not be made to fit: what helps (B-29). */
const GoOn = ({ sessionId }: { readonly sessionId: string }) => {
  const workbench = useWorkbench();
  return (
    <p className="go-on">
      <button className="button" type="button" onClick={() => workbench.goOn(sessionId)}>
        Start a focused continuation
      </button>
      <span className="turn-note">A new session with an empty context, the same profile and model.</span>
    </p>
  );
};

const isExhausted = (turn: Turn): boolean =>
  turn.facts?.error?.type === EXHAUSTED ||
  turn.committed.some(
    ({ role, status, content }) =>
      role === "notice" && status === "failed" && content.includes(`\`${EXHAUSTED}\``),
  );

const Warnings = ({ turn }: { readonly turn: Turn }) => {
  const warnings = turn.live?.view.warnings ?? turn.facts?.warnings ?? [];
  return warnings.map((warning, i) => (
    // biome-ignore lint/suspicious/noArrayIndexKey: warnings are only ever added
    <Notice key={i} markdown={warning.message} tone="warning" />
  ));
};

/** The stored notice says what happened; the event adds code, hint and details. */
const Failure = ({ turn, stored }: { readonly turn: Turn; readonly stored: boolean }) => {
  const error = turn.facts?.error ?? errorOfLive(turn);
  if (error === null) return null;
  if (stored && !error.details) return null;
  return <ErrorCard error={error} brief={stored} />;
};

const errorOfLive = (turn: Turn): NonNullable<Turn["facts"]>["error"] => {
  const end = turn.live?.view.terminal;
  return end?.event === "apperror" ? (end.payload as unknown as NonNullable<Turn["facts"]>["error"]) : null;
};

const toneOf = (message: Message): "stopped" | "failed" | "interrupted" | "info" => {
  switch (message.status) {
    case "cancelled":
      return "stopped";
    case "failed":
    case "interrupted":
      return message.status;
    case "complete":
    case "partial":
      return "info";
  }
};
