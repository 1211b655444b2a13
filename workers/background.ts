import type { Backbone } from "../common/backbone/open.ts";
import type { CompressorDeps } from "./compression/compress.ts";
import type { DemoEndpoint } from "./engines/builtin/models.ts";
import { createCompressionWork } from "./jobs/compression.ts";
import { createJobRunner, type JobRunnerDeps } from "./jobs/run-job.ts";
import { createTitleWork } from "./jobs/title.ts";
import type { JobWorks } from "./jobs/work.ts";
import { createTitleGenerator } from "./titles/generate.ts";

export interface JobSurroundings
  extends Pick<JobRunnerDeps, "resolveProfile" | "withProfileEnv" | "handBack"> {
  readonly demo: DemoEndpoint;
  readonly compression: Pick<CompressorDeps, "counter" | "summarise">;
}

/** Every kind of background work on sessions, over what the worker has; answers what does a job by its id. */
export const createJobs = (
  { lifecycleDeps, lifecycle, transcript, name, log }: Backbone,
  { demo, compression, ...surroundings }: JobSurroundings,
): ReturnType<typeof createJobRunner> => {
  const { read, write } = lifecycleDeps;
  const works: JobWorks = {
    title: createTitleWork({
      write,
      transcripts: transcript.transcripts,
      generate: createTitleGenerator({ demo }),
    }),
    compression: createCompressionWork({ ...compression, write, context: transcript.context }),
  };
  return createJobRunner({
    ...{ ...surroundings, read, write, works, log },
    dispatcher: lifecycle.dispatcher,
    workerName: name,
  });
};
