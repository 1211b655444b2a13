import type { RunFacts } from "../model/session-state.ts";
import { AlertIcon, StopIcon } from "./icons.tsx";
import { Markdown } from "./markdown.tsx";

export type NoticeTone = "stopped" | "failed" | "interrupted" | "warning" | "info";

/** Something about the run that the assistant did not say. */
export const Notice = ({ markdown, tone }: { readonly markdown: string; readonly tone: NoticeTone }) => (
  <aside className="notice" data-tone={tone}>
    {tone === "stopped" ? <StopIcon /> : <AlertIcon />}
    <Markdown text={markdown} streaming={false} />
  </aside>
);

/** A failed run: what happened, its stable code, and what helps. `brief`: the stored notice has said all but the details. */
export const ErrorCard = (props: {
  readonly error: NonNullable<RunFacts["error"]>;
  readonly brief: boolean;
}) => {
  const { error } = props;
  const details = error.details ? (
    <details className="details">
      <summary>Details</summary>
      <pre>{error.details}</pre>
    </details>
  ) : null;
  if (props.brief) return details;
  return (
    <aside className="notice" data-tone="failed">
      <AlertIcon />
      <div>
        <p>
          <strong>{error.message}</strong> <code>{error.type}</code>
        </p>
        {error.hint && <p>{error.hint}</p>}
        {details}
      </div>
    </aside>
  );
};
