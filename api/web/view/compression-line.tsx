import { useState } from "react";
import type { Job } from "../../../common/contracts/job.ts";
import { compressionLine } from "../model/compression.ts";
import { CloseIcon } from "./icons.tsx";
import { JobLine } from "./job-line.tsx";
import { useWorkbench } from "./use-workbench.ts";

/** A compression while it goes on, and why it was not done; nothing once it is (background-jobs B-22, B-28). */
export const CompressionLine = (props: { readonly sessionId: string; readonly job: Job | null }) => {
  const { job, sessionId } = props;
  const { compression } = useWorkbench();
  const [hidden, setHidden] = useState("");
  const notice = compressionLine(job);
  const name = job === null ? "" : `${job.id} ${job.created_at} ${job.state}`;
  if (job === null || notice === null || hidden === name) return null;
  return (
    <JobLine
      className="compression-line"
      notice={notice}
      onCancel={() => compression.cancel(sessionId, job.id)}
      onRetry={() => compression.retry(sessionId, job.id)}
    >
      {notice.tone !== "busy" && (
        <button className="icon-button small" type="button" aria-label="Hide" onClick={() => setHidden(name)}>
          <CloseIcon />
        </button>
      )}
    </JobLine>
  );
};
