import { messageOf } from "../../common/base/errors.ts";
import type { ContextInfo } from "../../common/contracts/context.ts";
import type { RunEvent } from "../../common/contracts/events.ts";
import type { LifecycleDeps } from "../../common/lifecycle/deps.ts";
import type { Dispatcher } from "../../common/lifecycle/dispatcher.ts";
import { completedOutcome, knownSteps, sumUsage } from "../../common/lifecycle/outcome.ts";
import { repairEvents } from "../../common/lifecycle/repair.ts";
import type { Settler } from "../../common/lifecycle/settle.ts";
import { createRedactor, failClosed } from "../../common/logging/redact.ts";
import type { Profile } from "../../common/profiles/port.ts";
import type { ContextReader, RunContext } from "../../common/transcript/port.ts";
import type { Engine, EngineContext } from "../engines/port.ts";
import type { AttemptStart } from "./attempt-start.ts";
import { compressedEvent } from "./compression-events.ts";
import { createEmitter, type Emitter } from "./emitter.ts";
import { ProfileUnavailable, reasonNotToStart } from "./end-reason.ts";
import { Ending, type Verdict } from "./ending.ts";
import { createContextKeeper, type KeeperDeps } from "./keep-context.ts";
import { createRecorder } from "./recorder.ts";

export interface AttemptDeps {
  readonly lifecycle: LifecycleDeps;
  readonly settler: Settler;
  readonly dispatcher: Dispatcher;
  readonly engineFor: (profile: Profile) => Engine;
  readonly resolveProfile: (name: string) => Promise<Profile>;
  /** Absolute folder of the run's tools, existing; rejects with `workspace_refused`. */
  readonly prepareWorkspace: (profile: Profile, workspace: string | null) => Promise<string>;
  /** The whole environment of the run's children. */
  readonly childEnv: (profile: Profile, run: RunIds) => Readonly<Record<string, string>>;
  /** What the run's session has running in the background, as the run's tools reach it. */
  readonly processesOf: (
    profile: Profile,
    run: RunIds,
    place: Pick<EngineContext, "workspace" | "childEnv">,
  ) => NonNullable<EngineContext["processes"]>;
  /** Runs `work` so that libraries that read process.env see the profile's variables and no other's (profiles P-12). */
  readonly withProfileEnv: <T>(profile: Profile, run: RunIds, work: () => Promise<T>) => Promise<T>;
  /** Tools of the profile's own servers, for this run; bounded in time. Never rejects: what is missing is a warning (P-22). */
  readonly openTools: (profile: Profile, attempt: Pick<AttemptStart, "signal" | "log">) => Promise<RunTools>;
  /** What the model is given as history, other programs' messages included. */
  readonly context: ContextReader;
  readonly maxSteps: number;
  readonly compression: Omit<KeeperDeps, "context" | "write">;
}

export interface RunTools {
  readonly tools: EngineContext["profileTools"];
  /** Which servers are missing and why; texts for people, without values of the configuration. */
  readonly warnings: readonly string[];
  /** The tools are not used any more. */
  release(): void;
}

interface RunIds {
  readonly id: string;
  readonly session_id: string;
}

const HISTORY_CUT: RunEvent = {
  event: "warning",
  payload: {
    type: "store_unavailable",
    message:
      "state.db cannot be read right now: what other programs wrote into this session is not in the context.",
  },
};

/** One execution of a run from its claim to its end. */
export class Attempt {
  private readonly deps: AttemptDeps;
  private readonly start: AttemptStart;
  private readonly ending: Ending;

  constructor(deps: AttemptDeps, start: AttemptStart) {
    this.deps = deps;
    this.start = start;
    this.ending = new Ending(deps, start);
  }

  /** Rejects with `stale_generation` when a newer attempt owns the run, and for infrastructure failures. */
  async run(): Promise<Verdict> {
    try {
      const early = reasonNotToStart(this.start);
      return early === null ? await this.execute() : await this.ending.partial(early);
    } catch (error) {
      return this.ending.afterThrow(error);
    }
  }

  private async execute(): Promise<Verdict> {
    const { run } = this.start.claim.record;
    const profile = await this.deps.resolveProfile(run.profile).catch((cause: unknown) => {
      throw new ProfileUnavailable(messageOf(cause), { cause });
    });
    await this.keepRevision(profile.revision);
    return this.deps.withProfileEnv(profile, run, () => this.executeAs(profile));
  }

  private async executeAs(profile: Profile): Promise<Verdict> {
    const engine = this.deps.engineFor(profile);
    if (this.start.view.attempt > 0 && !engine.resumable) {
      return this.ending.partial({
        kind: "interrupted",
        message: "The worker of this run was lost, and its engine cannot continue it.",
      });
    }
    // Beside the reading of the history: a server may take its time to start.
    const opening = this.deps.openTools(profile, this.start);
    try {
      return await this.executeWith(profile, engine, opening);
    } finally {
      (await opening).release();
    }
  }

  private async executeWith(profile: Profile, engine: Engine, opening: Promise<RunTools>): Promise<Verdict> {
    const { claim, evidence, view, writer, times } = this.start;
    const { run, generation } = claim.record;
    const { lifecycle } = this.deps;
    const { context, history, historyCut } = await this.context(profile);
    const redactor = failClosed(createRedactor(profile.secrets));
    const emitter = createEmitter(view, run.attempt, writer, redactor);
    const repairs = run.attempt > 1 ? repairEvents(view, knownSteps(evidence)) : [];
    emitter.emit({
      event: "run_started",
      payload: { model: context.model.model || context.model.provider, profile: run.profile },
    });
    for (const event of repairs) emitter.emit(event);
    if (historyCut) emitter.emit(HISTORY_CUT);
    const made = run.attempt > 1 ? await lifecycle.read.contextsOfRun(run.id) : [];
    this.tellCompressed(made, emitter);
    const keeper = createContextKeeper(
      { ...this.deps.compression, context: this.deps.context, write: lifecycle.write },
      { run, generation, profile, history, made: made.length, redactor, log: this.start.log },
    );
    const { tools: profileTools, warnings } = await opening;
    for (const message of warnings)
      emitter.emit({
        event: "warning",
        payload: { type: "tools_unavailable", message: redactor.text(message) },
      });
    const recorder = createRecorder({
      runId: run.id,
      sessionId: run.session_id,
      generation,
      write: lifecycle.write,
      emitter,
      journal: { flush: () => times.journal(writer.flush()) },
      redactor,
      firstOutputAt: () => times.firstOutputAt,
    });
    times.uses(context.model);
    await this.drive(engine, { ...context, profileTools, keeper }, emitter, recorder.record);

    const { text, reasoning, usages, stepLimit } = recorder.answer();
    const recorded = usages.length > 1 || evidence.steps.length > 0 || stepLimit;
    const proof = recorded ? await lifecycle.read.evidence(run.id) : evidence;
    const earlier = evidence.steps.map((step) => step.usage);
    const lastPrompt = usages.at(-1)?.inputTokens ?? 0;
    const usage = {
      ...sumUsage([...earlier, ...usages], this.ending.elapsedS()),
      context_length: keeper.contextLength,
      ...(keeper.thresholdTokens === null ? {} : { threshold_tokens: keeper.thresholdTokens }),
      ...(lastPrompt === 0 ? {} : { last_prompt_tokens: lastPrompt }),
    };
    const { enabled, refreshEvery } = profile.auxiliary.titles;
    const outcome = completedOutcome(proof, { text, reasoning }, usage, stepLimit);
    return this.ending.commit({ ...outcome, ...(enabled ? { titles: { refreshEvery } } : {}) }, "complete");
  }

  /** An attempt that died between a compression and the word of it. */
  private tellCompressed(made: readonly ContextInfo[], emitter: Emitter): void {
    const { run } = this.start.claim.record;
    const told = new Set(emitter.view.compressed.map(({ version }) => version));
    for (const { version, tokens_before, tokens_after } of made)
      if (!told.has(version))
        emitter.emit(
          compressedEvent(run.session_id, {
            version,
            tokensBefore: tokens_before,
            tokensAfter: tokens_after,
          }),
        );
  }

  /** Says which configuration this attempt runs with, where that is not the one it was accepted with. */
  private async keepRevision(revision: string | null): Promise<void> {
    const { claim, log } = this.start;
    const { run, generation } = claim.record;
    log.debug({ accepted: run.config_revision, revision }, "profile read");
    if (revision === run.config_revision) return;
    await this.deps.lifecycle.write.keepConfigRevision(run.id, generation, revision);
    if (run.config_revision !== null)
      log.info({ accepted: run.config_revision, revision }, "the profile changed after the run was accepted");
  }

  private async drive(
    engine: Engine,
    context: EngineContext,
    emitter: Emitter,
    record: ReturnType<typeof createRecorder>["record"],
  ): Promise<void> {
    const { signal, times } = this.start;
    try {
      signal.throwIfAborted();
      times.asked();
      for await (const event of engine.run(context, signal)) {
        signal.throwIfAborted();
        times.came(event);
        await record(event);
        times.recorded();
        times.asked();
      }
      signal.throwIfAborted();
    } catch (error) {
      times.engineOver(error);
      throw error;
    } finally {
      times.engineOver();
      emitter.settleText();
    }
  }

  private async context(profile: Profile): Promise<{
    readonly context: Omit<EngineContext, "profileTools">;
    readonly history: RunContext;
    readonly historyCut: boolean;
  }> {
    const { claim, evidence } = this.start;
    const { run } = claim.record;
    const [history, workspace] = await Promise.all([
      this.deps.context.contextOf(run.id),
      this.deps.prepareWorkspace(profile, claim.session.workspace),
    ]);
    const childEnv = this.deps.childEnv(profile, run);
    const context = {
      runId: run.id,
      sessionId: run.session_id,
      attempt: run.attempt,
      instructions: profile.agent.instructions,
      messages: history.messages,
      steps: evidence.steps,
      tools: evidence.tools.map((tool) => ({
        step: tool.step,
        callId: tool.callId,
        // An outcome that was already told as unknown stays the recorded result.
        outcome: tool.state === "started" ? ("unknown" as const) : ("done" as const),
        result: tool.result ?? "",
        isError: tool.isError,
      })),
      model: { ...profile.model, model: run.model ?? profile.model.model },
      workspace,
      childEnv,
      processes: this.deps.processesOf(profile, run, { workspace, childEnv }),
      maxSteps: profile.agent.maxSteps ?? this.deps.maxSteps,
    };
    return { context, history, historyCut: history.storeState !== "ok" && history.storeState !== "none" };
  }
}
