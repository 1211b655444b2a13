import type { Job } from "../../../common/contracts/job.ts";

/** Background work on the session, while it goes on or where it failed; nothing once it is done. */
export const JobState = (props: { readonly job: Job | null; readonly onRetry: () => void }) => {
  const { job } = props;
  if (job === null || !["queued", "running", "failed"].includes(job.state)) return null;
  return (
    <span className="job-state" data-state={job.state} role="status">
      {job.state === "failed" ? (
        <>
          No title was found.{" "}
          <button className="link-button underlined" type="button" onClick={props.onRetry}>
            Try again
          </button>
        </>
      ) : (
        "Finding a title…"
      )}
    </span>
  );
};
