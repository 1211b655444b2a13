import { useState } from "react";
import type { Job } from "../../../common/contracts/job.ts";
import { compressionLine } from "../model/compression.ts";
import { CloseIcon } from "./icons.tsx";
import { useWorkbench } from "./use-workbench.ts";

/** A compression while it goes on, and why it was not done; nothing once it is (background-jobs B-22, B-28). */
export const CompressionLine = (props: { readonly sessionId: string; readonly job: Job | null }) => {
  const { job, sessionId } = props;
  const workbench = useWorkbench();
  const [hidden, setHidden] = useState("");
  const line = compressionLine(job);
  const name = job === null ? "" : `${job.id} ${job.created_at} ${job.state}`;
  if (job === null || line === null || hidden === name) return null;
  return (
    <div className="compression-line" data-tone={line.tone} role="status">
      {line.tone === "busy" && <span className="spinner small" aria-hidden="true" />}
      <span>{line.text}</span>
      {line.tone === "busy" && (
        <button
          className="link-button underlined"
          type="button"
          onClick={() => workbench.compression.cancel(sessionId, job.id)}
        >
          Cancel
        </button>
      )}
      {line.tone === "failed" && (
        <button
          className="link-button underlined"
          type="button"
          onClick={() => workbench.compression.retry(sessionId, job.id)}
        >
          Try again
        </button>
      )}
      {line.tone !== "busy" && (
        <button className="icon-button small" type="button" aria-label="Hide" onClick={() => setHidden(name)}>
          <CloseIcon />
        </button>
      )}
    </div>
  );
};
