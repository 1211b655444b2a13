import type { ReactNode } from "react";
import type { JobNotice } from "../model/jobs.ts";

/** Background work on the session in one line: what goes on can be given up, what failed be tried again. */
export const JobLine = (props: {
  readonly className: string;
  readonly notice: JobNotice;
  readonly onCancel: () => void;
  readonly onRetry: () => void;
  readonly children?: ReactNode;
}) => {
  const { tone, text } = props.notice;
  return (
    <div className={props.className} data-tone={tone} role="status">
      {tone === "busy" && <span className="spinner small" aria-hidden="true" />}
      <span>{text}</span>
      {tone === "busy" && (
        <button className="link-button underlined" type="button" onClick={props.onCancel}>
          Cancel
        </button>
      )}
      {tone === "failed" && (
        <button className="link-button underlined" type="button" onClick={props.onRetry}>
          Try again
        </button>
      )}
      {props.children}
    </div>
  );
};
