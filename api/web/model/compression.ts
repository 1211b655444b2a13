import type { ContextInfo } from "../../../common/contracts/context.ts";
import type { Job } from "../../../common/contracts/job.ts";
import type { JobNotice } from "./jobs.ts";
import type { SessionState } from "./session-state.ts";

/** The newest compression that events told of: the list of them must be read when it does not hold it. */
export const toldVersion = (state: SessionState): number => {
  const { compression } = state.jobs;
  const made = compression?.state === "done" ? Number(compression.result?.version ?? 0) : 0;
  const ofRuns = [...state.runs.values()].flatMap(({ view }) =>
    view.compressed.map(({ version }) => version),
  );
  return Math.max(made, state.settledVersion, ...ofRuns);
};

/** Which compression is shown in front of which message: the newest of each border. */
export const bordersOf = (contexts: readonly ContextInfo[]): ReadonlyMap<string, ContextInfo> =>
  new Map(
    contexts
      .toReversed()
      .flatMap((context) =>
        context.border_message_id === null ? [] : [[context.border_message_id, context] as const],
      ),
  );

/** What a person reads of a compression that goes on or did not work; null: there is nothing to say. */
export const compressionLine = (job: Job | null): JobNotice | null => {
  if (job === null) return null;
  switch (job.state) {
    case "queued":
      return { tone: "busy", text: "The context will be compressed…" };
    case "running":
      return { tone: "busy", text: progressText(job.progress) };
    case "failed":
      return { tone: "failed", text: `The context was not compressed: ${reasonText(job.reason)}.` };
    case "skipped":
      return { tone: "info", text: "The context stays as it is: a summary would not make it shorter." };
    case "cancelled":
      return job.reason === "context_changed"
        ? { tone: "info", text: "The compression was not applied: the conversation went on meanwhile." }
        : null;
    case "done":
      return null;
  }
};

const progressText = (progress: Job["progress"]): string => {
  if (progress?.stage === "committing") return "Compressing the context: almost done…";
  if (progress?.stage !== "summarising" || progress.of < 2) return "Compressing the context…";
  return `Compressing the context: part ${progress.done + 1} of ${progress.of}…`;
};

const REASONS: Readonly<Record<string, string>> = {
  provider_unavailable: "the model provider could not be reached",
  rate_limit: "the provider's rate limit is reached",
  quota_exhausted: "the provider's quota is used up",
  gateway_auth_error: "the provider refused the key",
  model_not_found: "the provider does not know the model",
  timeout: "it took too long",
  disabled: "it is switched off for this profile",
  store_unavailable: "the conversation cannot be read right now",
  worker_crashed: "its worker was lost several times",
};
const reasonText = (reason: string | null): string =>
  REASONS[reason ?? ""] ?? `the model gave no summary (${reason ?? "unknown"})`;

export const tokensText = ({ before, after }: { readonly before: number; readonly after: number }): string =>
  `${before.toLocaleString("en-US")} → ${after.toLocaleString("en-US")} tokens`;

/** The code of a turn that could not be made to fit; the stored notice of it names the code, too. */
export const EXHAUSTED = "compression_exhausted";
