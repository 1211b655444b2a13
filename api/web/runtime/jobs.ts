import type { Job } from "../../../common/contracts/job.ts";
import type { Store } from "./store.ts";

/** Shows the job that a request was answered with; a failure is told, `failure` being the beginning of the sentence. */
export const createTakeJob =
  (store: Pick<Store, "act" | "report">) =>
  (id: string, failure: string, work: Promise<{ readonly job: Job }>): void => {
    work.then(
      ({ job }) => store.act(id, { type: "job", job }),
      (error: unknown) => store.report(failure, error),
    );
  };
