import { recapKindOf, recapLine } from "../model/recaps.ts";
import type { SessionState } from "../model/session-state.ts";
import { CloseIcon } from "./icons.tsx";
import { JobLine } from "./job-line.tsx";
import { useWorkbench } from "./use-workbench.ts";

/** At the end of the conversation: the offer to tell what happened, or the state of it while it is told or was not. */
export const RecapLine = ({ session }: { readonly session: SessionState }) => {
  const workbench = useWorkbench();
  const { id, offer, jobs } = session;
  const job = jobs.recap;
  const notice = recapLine(job);
  if (offer)
    return (
      <div className="recap-line">
        <button
          className="link-button underlined"
          type="button"
          onClick={() => workbench.makeRecap(id, "recap")}
        >
          Catch up: what happened here
        </button>
        <button
          className="icon-button small"
          type="button"
          aria-label="Close the offer"
          onClick={() => workbench.closeOffer(id)}
        >
          <CloseIcon />
        </button>
      </div>
    );
  if (notice === null || job === undefined) return null;
  return (
    <JobLine
      className="recap-line"
      notice={notice}
      onCancel={() => workbench.cancelRecap(id, job.id)}
      onRetry={() => workbench.makeRecap(id, recapKindOf(job))}
    />
  );
};
