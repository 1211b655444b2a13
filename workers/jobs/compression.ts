import { z } from "zod";
import { isTalariaError } from "../../common/base/errors.ts";
import { prepareCompression } from "../../common/compression/prepare.ts";
import type { LifecycleDeps } from "../../common/lifecycle/deps.ts";
import { createRedactor } from "../../common/logging/redact.ts";
import { contextLimits } from "../../common/profiles/context-settings.ts";
import type { ContextReader, SessionContext } from "../../common/transcript/port.ts";
import { auxiliaryRoutes } from "../auxiliary/route.ts";
import { type CompressorDeps, makeContext, stillHolds } from "../compression/compress.ts";
import type { JobEnding, JobRun, JobWork } from "./work.ts";

export interface CompressionWorkDeps extends Omit<CompressorDeps, "context"> {
  readonly write: Pick<LifecycleDeps["write"], "applyContext">;
  readonly context: ContextReader;
}

/** Twelve calls of a minute (background-jobs B-7). */
const DEADLINE_MS = 12 * 60_000;

const InputSchema = z.object({ focus: z.string().nullable() });

/** Compresses a session's model context because a person asks for it (background-jobs 2.1). */
export const createCompressionWork = (deps: CompressionWorkDeps): JobWork => ({
  deadlineMs: DEADLINE_MS,
  async work(run) {
    if (!run.profile.auxiliary.compression.enabled) return { kind: "failed", reason: "disabled" };
    const context = await readContext(deps, run);
    return context === null ? { kind: "failed", reason: "store_unavailable" } : compress(deps, run, context);
  },
});

const compress = async (
  deps: CompressionWorkDeps,
  run: JobRun,
  context: SessionContext,
): Promise<JobEnding> => {
  const { job, input, session, profile, signal, log, progress } = run;
  const { focus } = InputSchema.parse(JSON.parse(input));
  const prepared = await prepareCompression(context, deps.counter, contextLimits(profile, session.model));
  if (prepared === null) return { kind: "skipped", reason: "no_gain" };
  const of = prepared.parts.length;
  const { value } = createRedactor(profile.secrets);
  const made = await makeContext(
    deps,
    { sessionId: session.id, context, prepared },
    {
      ...{ focus, signal, log },
      routes: auxiliaryRoutes(profile.auxiliary.compression, profile.model, session.model),
      // A key that somebody wrote into the conversation does not become part of what every later turn is told.
      redact: (text) => value(text) as string,
      onPart: (n) => progress({ stage: "summarising", done: n - 1, of }),
    },
  );
  if (made.kind !== "made") return made;
  await progress({ stage: "committing", done: of, of });
  const now = await readContext(deps, run);
  if (now === null) return { kind: "failed", reason: "store_unavailable" };
  const holds = stillHolds(now, made.context.covered);
  const { nextTurn } = context;
  // What was worked out from messages that are not there any more is refused as if the session had moved on.
  const contextRevision = holds ? context.contextRevision : -1;
  return {
    kind: "apply",
    reason: null,
    apply: () => deps.write.applyContext(job.id, job.attempt, { contextRevision, nextTurn }, made.context),
  };
};

/** Null: the file cannot be read right now. */
const readContext = async (
  { context }: CompressionWorkDeps,
  { session, signal }: JobRun,
): Promise<SessionContext | null> => {
  signal.throwIfAborted();
  try {
    return await context.sessionContext(session.id);
  } catch (error) {
    if (isTalariaError(error, "store_unavailable")) return null;
    throw error;
  }
};
