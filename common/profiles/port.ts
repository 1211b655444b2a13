import type { McpSection } from "./mcp-servers.ts";

/** A profile as values: read once for a run or job, then passed down. Nobody asks for "the active profile" (P-4). */
export interface Profile {
  readonly name: string;
  /** Absolute folder: state.db, config.yaml, .env, skills … */
  readonly home: string;
  /** Variables of its `.env` that a profile may set; nothing of the server's environment (P-2, P-15). */
  readonly env: Readonly<Record<string, string>>;
  /** Values of `env` that must appear in no event, log or answer: for the redactor (P-25). */
  readonly secrets: readonly string[];
  readonly model: ProfileModel;
  /** Name of the assistant for this profile; null: the server's setting. */
  readonly botName: string | null;
  readonly agent: AgentSettings;
  /** Tool servers as `config.yaml` has them: whoever starts one expands its templates then (P-22, P-23). */
  readonly mcp: McpSection;
  readonly auxiliary: Auxiliary;
  readonly context: ContextSettings;
  /** Tells this state of its configuration from others (P-4); null when it was not asked for. */
  readonly revision: string | null;
  /** What was skipped: lines of `.env` by number (P-3), memories and skills by path, settings of titles by name; never a value. */
  readonly warnings: readonly string[];
}

/** `provider` is "demo" when none is configured. Same fields as the engine port's `ModelSettings`. */
export interface ProfileModel {
  readonly provider: string;
  /** "" when the provider's own default is meant. */
  readonly model: string;
  readonly baseUrl: string | null;
  /** null: the profile has no key for its provider; never another's (P-15). */
  readonly apiKey: string | null;
}

/** How a run's context is kept within the model's window (background-jobs 2.2). */
export interface ContextSettings {
  /** Tokens of the chat model's window, `model.context_length`; null: not said. */
  readonly contextLength: number | null;
  /** `compression.enabled`: by itself; on request it is possible all the same. */
  readonly automatic: boolean;
  /** `compression.threshold`: the share of the window from which on it happens. */
  readonly threshold: number;
}

/** `agent:` in config.yaml. */
export interface AgentSettings {
  /** null: the server's limit. */
  readonly maxSteps: number | null;
  /** Instructions before every conversation: persona, memories, list of skills; "" without any. */
  readonly instructions: string;
}

/** `auxiliary:` in config.yaml: how background work on sessions is done. */
export interface Auxiliary {
  readonly titles: TitleSettings;
  readonly compression: AuxiliarySettings;
  readonly summaries: AuxiliarySettings;
}

export interface AuxiliarySettings {
  /** False: neither by itself nor on request. */
  readonly enabled: boolean;
  /** A model of its own for the task, with its own key; null: the session's. */
  readonly model: ProfileModel | null;
  /** Of one model call. */
  readonly timeoutMs: number;
}

/** `auxiliary.title_generation:` */
export interface TitleSettings extends AuxiliarySettings {
  /** Completed turns after which a generated title is made anew; 0: never. */
  readonly refreshEvery: 0 | 5 | 10 | 20;
}
