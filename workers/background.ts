import type { Backbone } from "../common/backbone/open.ts";
import type { CompressorDeps } from "./compression/compress.ts";
import type { DemoEndpoint } from "./engines/builtin/models.ts";
import { createCompressionWork } from "./jobs/compression.ts";
import { createRecapWork } from "./jobs/recap.ts";
import { createJobRunner, type JobRunnerDeps } from "./jobs/run-job.ts";
import { createTitleWork } from "./jobs/title.ts";
import type { JobWorks } from "./jobs/work.ts";
import { createRecapGenerator } from "./recaps/generate.ts";
import { createTitleGenerator } from "./titles/generate.ts";
import { createTellUpdate } from "./updates/tell-update.ts";

export interface JobSurroundings
  extends Pick<JobRunnerDeps, "resolveProfile" | "withProfileEnv" | "handBack"> {
  readonly demo: DemoEndpoint;
  readonly compression: Pick<CompressorDeps, "counter" | "summarise">;
}

/** Every kind of background work on sessions, over what the worker has; answers what does a job, and a text about an update, by its id. */
export const createJobs = (
  { lifecycleDeps, lifecycle, transcript, name, log }: Backbone,
  { demo, compression, ...surroundings }: JobSurroundings,
): {
  readonly doJob: (jobId: string, profile: string) => Promise<void>;
  readonly tellUpdate: (summaryId: string, profile: string) => Promise<void>;
} => {
  const { read, write } = lifecycleDeps;
  const works: JobWorks = {
    title: createTitleWork({
      write,
      transcripts: transcript.transcripts,
      generate: createTitleGenerator({ demo }),
    }),
    compression: createCompressionWork({ ...compression, write, context: transcript.context }),
    recap: createRecapWork({
      write,
      transcripts: transcript.transcripts,
      generate: createRecapGenerator({ demo }),
    }),
  };
  return {
    doJob: createJobRunner({
      ...{ ...surroundings, read, write, works, log },
      dispatcher: lifecycle.dispatcher,
      workerName: name,
    }),
    tellUpdate: createTellUpdate({ ...surroundings, demo, write, log }),
  };
};
