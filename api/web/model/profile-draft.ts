import { MASK } from "../../../common/base/mask.ts";
import type { PatchProfileBody, ProfileView } from "../../../common/contracts/profile.ts";
import {
  bytesOf,
  isProviderAddress,
  MAX_PROFILE_STEPS,
  MAX_RUN_LIMIT,
  MAX_SOUL_BYTES,
  ONE_LINE,
  PROVIDER_NAME,
} from "../../../common/contracts/profile-rules.ts";
import type { Problem } from "./problem.ts";
import { displayNameFault } from "./profiles.ts";

/** A profile's settings as they stand in the fields: text that may be wrong. "" takes a setting out. */
export interface ProfileDraft {
  readonly displayName: string;
  readonly visible: boolean;
  readonly provider: string;
  readonly baseUrl: string;
  readonly model: string;
  readonly instructions: string;
  readonly botName: string;
  readonly maxSteps: string;
  readonly concurrentRuns: string;
  readonly runsPerMinute: string;
}
export type DraftField = keyof ProfileDraft;
export type TextField = Exclude<DraftField, "visible">;

/** What is being edited: the profile as the server last told it, and what a person made of it. */
export interface ProfileEdit {
  readonly base: ProfileView;
  readonly draft: ProfileDraft;
  /** Fields that were edited here and changed elsewhere, too: saving decides for what stands here. */
  readonly clashes: readonly DraftField[];
}

export const beginEdit = (base: ProfileView): ProfileEdit => ({ base, draft: draftOf(base), clashes: [] });

export const draftOf = (profile: ProfileView): ProfileDraft => ({
  displayName: profile.display_name === profile.name ? "" : profile.display_name,
  visible: profile.visible,
  provider: profile.model?.provider ?? "",
  baseUrl: profile.model?.base_url ?? "",
  model: profile.model?.model ?? "",
  instructions: profile.instructions,
  botName: profile.bot_name ?? "",
  maxSteps: numberText(profile.agent.max_steps),
  concurrentRuns: numberText(profile.limits.concurrent_runs),
  runsPerMinute: numberText(profile.limits.runs_per_minute),
});

const numberText = (value: number | null): string => (value === null ? "" : String(value));

/** What a person typed. An address says that the model is a server of one's own: the demo model has none. */
export const typed = (edit: ProfileEdit, change: Partial<ProfileDraft>): ProfileEdit => {
  const draft = { ...edit.draft, ...change };
  const isOwnServer = (change.baseUrl ?? "").trim() !== "" && draft.provider === "demo";
  return { ...edit, draft: isOwnServer ? { ...draft, provider: "custom" } : draft };
};

/** The profile was read again: fields that were not touched follow, what was edited here stays. */
export const rebased = ({ base, draft }: ProfileEdit, next: ProfileView): ProfileEdit => {
  const [before, after] = [draftOf(base), draftOf(next)];
  const touched = FIELDS.filter((field) => draft[field] !== before[field] && draft[field] !== after[field]);
  return {
    base: next,
    draft: { ...after, ...pick(draft, touched) },
    clashes: touched.filter((field) => before[field] !== after[field]),
  };
};

/** `sent` was saved and is answered with `next`: what was typed since stays. */
export const saved = ({ draft }: ProfileEdit, sent: ProfileDraft, next: ProfileView): ProfileEdit => {
  const since = FIELDS.filter((field) => draft[field] !== sent[field]);
  return { base: next, draft: { ...draftOf(next), ...pick(draft, since) }, clashes: [] };
};

/** Only what was changed; null: nothing was. */
export const changesOf = ({ base, draft }: ProfileEdit): PatchProfileBody | null => {
  const before = draftOf(base);
  const is = (field: DraftField): boolean => clean(draft, field) !== clean(before, field);
  const text = (field: TextField): string | null => clean(draft, field) || null;
  const model = {
    ...(is("provider") ? { provider: text("provider") } : {}),
    ...(is("baseUrl") ? { base_url: text("baseUrl") } : {}),
    ...(is("model") ? { default: text("model") } : {}),
  };
  const number = (field: TextField): number | null => (text(field) === null ? null : Number(text(field)));
  const limits = {
    ...(is("concurrentRuns") ? { concurrent_runs: number("concurrentRuns") } : {}),
    ...(is("runsPerMinute") ? { runs_per_minute: number("runsPerMinute") } : {}),
  };
  const body: PatchProfileBody = {
    ...(is("displayName") ? { display_name: text("displayName") } : {}),
    ...(is("visible") ? { visible: draft.visible } : {}),
    ...(Object.keys(model).length > 0 ? { model } : {}),
    ...(is("instructions") ? { instructions: text("instructions") } : {}),
    ...(is("botName") ? { bot_name: text("botName") } : {}),
    ...(is("maxSteps") ? { agent: { max_steps: number("maxSteps") } } : {}),
    ...(Object.keys(limits).length > 0 ? { limits } : {}),
  };
  return Object.keys(body).length === 0 ? null : body;
};

export type DraftFaults = Partial<Record<DraftField, string>>;

/** What the server would refuse, as far as it can be told here. */
export const faultsOf = (edit: ProfileEdit): DraftFaults => {
  const { draft } = edit;
  const before = draftOf(edit.base);
  const faults: DraftFaults = {};
  const tell = (field: DraftField, message: string | null): void => {
    if (message !== null && draft[field] !== before[field]) faults[field] = message;
  };
  const text = (field: TextField): string => clean(draft, field);
  tell("displayName", displayNameFault(draft.displayName));
  tell(
    "provider",
    text("provider") === "" || PROVIDER_NAME.test(text("provider")) ? null : "A name: A–Z, a–z, 0–9, . _ -",
  );
  tell(
    "baseUrl",
    text("baseUrl") === "" || isProviderAddress(text("baseUrl"))
      ? null
      : "An http(s) address without user and password.",
  );
  tell("model", lineFault(text("model")));
  tell("botName", lineFault(text("botName")));
  tell("maxSteps", countFault(text("maxSteps"), MAX_PROFILE_STEPS));
  for (const field of ["concurrentRuns", "runsPerMinute"] as const)
    tell(field, countFault(text(field), MAX_RUN_LIMIT));
  const bytes = bytesOf(draft.instructions);
  tell(
    "instructions",
    bytes > MAX_SOUL_BYTES
      ? `${bytes - MAX_SOUL_BYTES} bytes more than the ${MAX_SOUL_BYTES} that fit.`
      : null,
  );
  return faults;
};

/** What the server found wrong with single fields. */
export const refusedFields = (problem: Problem | null): DraftFaults => {
  const faults: DraftFaults = {};
  for (const { path, message } of problem?.faults ?? []) {
    const field = FIELD_OF[path];
    if (field !== undefined) faults[field] = message;
  }
  // Both names of the default profile mean it, so its display name must not be another's name.
  if (problem?.code === "profile_exists") faults.displayName = problem.message;
  return faults;
};

/** Parts that look like keys come masked; a change of such a field is saved only with them written out. */
export const isMasked = (text: string): boolean => text.includes(MASK);

export const FIELD_OF: Readonly<Record<string, DraftField>> = {
  display_name: "displayName",
  visible: "visible",
  "model.provider": "provider",
  "model.base_url": "baseUrl",
  "model.default": "model",
  instructions: "instructions",
  bot_name: "botName",
  "agent.max_steps": "maxSteps",
  "limits.concurrent_runs": "concurrentRuns",
  "limits.runs_per_minute": "runsPerMinute",
};
export const FIELD_NAME: Readonly<Record<DraftField, string>> = {
  displayName: "display name",
  visible: "visibility",
  provider: "provider",
  baseUrl: "address",
  model: "model",
  instructions: "instructions",
  botName: "name of the assistant",
  maxSteps: "steps",
  concurrentRuns: "runs at once",
  runsPerMinute: "runs in a minute",
};

const FIELDS = Object.values(FIELD_OF);

const pick = (draft: ProfileDraft, fields: readonly DraftField[]): Partial<ProfileDraft> =>
  Object.fromEntries(fields.map((field) => [field, draft[field]]));

/** Without what the server takes off anyway. */
const clean = (draft: ProfileDraft, field: DraftField): string => String(draft[field]).trim();

const lineFault = (text: string): string | null => {
  if (text.length > 200) return "At most 200 characters.";
  return ONE_LINE.test(text) ? null : "One line without control characters.";
};

const countFault = (text: string, most: number): string | null => {
  const count = Number(text);
  const isFine = text === "" || (/^\d+$/.test(text) && count >= 1 && count <= most);
  return isFine ? null : `A whole number from 1 to ${most}.`;
};
