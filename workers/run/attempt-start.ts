import type { RunView } from "../../common/contracts/run-view.ts";
import type { JournalWriter } from "../../common/journal/writer.ts";
import type { LifecycleDeps } from "../../common/lifecycle/deps.ts";
import type { ClaimResult, Evidence } from "../../common/runs/ledger.ts";
import type { AttemptTimes } from "./attempt-times.ts";

export type Claim = Extract<ClaimResult, { kind: "claimed" }>;

/** What an attempt starts from. */
export interface AttemptStart {
  readonly claim: Claim;
  readonly evidence: Evidence;
  /** What the run has shown so far; the attempt goes on in it. */
  readonly view: RunView;
  readonly writer: JournalWriter;
  readonly times: AttemptTimes;
  readonly signal: AbortSignal;
  readonly log: LifecycleDeps["log"];
}
