import type { ProfileSummary, ProfileView } from "../../../common/contracts/profile.ts";
import { MAX_DISPLAY_NAME, ONE_LINE, PROFILE_NAME } from "../../../common/contracts/profile-rules.ts";
import type { Problem } from "./problem.ts";

/** The profile that a browser begins with, and falls back to. It is the home itself. */
export const DEFAULT_PROFILE = "default";

export interface ProfilesState {
  /** All of them, hidden ones too; `default` first. */
  readonly items: readonly ProfileSummary[];
  readonly phase: "loading" | "ready" | "failed";
  /** What this browser chose last for new sessions; it may be gone: ask `choiceOf`. */
  readonly chosen: string;
  /** The dialog in which profiles are kept; null: closed. */
  readonly panel: ProfilePanel | null;
}

export interface ProfilePanel {
  /** The profile at its side; null: none. */
  readonly name: string | null;
  /** null: not read yet. */
  readonly profile: ProfileView | null;
  /** Why it could not be read, the last time. */
  readonly problem: Problem | null;
  readonly models: ModelChoice;
}

/** The models that the provider of the profile at the side offers; a name can be typed whatever the state. */
export interface ModelChoice {
  readonly phase: "idle" | "loading" | "ready" | "failed";
  readonly ids: readonly string[];
  /** Why there is no list. */
  readonly message: string | null;
}

export type ProfilesAction =
  | { readonly type: "loaded"; readonly items: readonly ProfileSummary[] }
  | { readonly type: "load_failed" }
  | { readonly type: "chosen"; readonly name: string }
  | { readonly type: "panel"; readonly open: boolean }
  | { readonly type: "shown"; readonly name: string | null }
  | { readonly type: "read"; readonly profile: ProfileView }
  | { readonly type: "read_failed"; readonly name: string; readonly problem: Problem }
  | { readonly type: "models"; readonly name: string; readonly models: ModelChoice };

const NO_MODELS: ModelChoice = { phase: "idle", ids: [], message: null };
const EMPTY_PANEL: ProfilePanel = { name: null, profile: null, problem: null, models: NO_MODELS };

export const createProfilesState = (): ProfilesState => ({
  items: [],
  phase: "loading",
  chosen: DEFAULT_PROFILE,
  panel: null,
});

/** What belongs to another profile than the one at the side is an answer to an older question and changes nothing. */
export const reduceProfiles = (state: ProfilesState, action: ProfilesAction): ProfilesState => {
  const inPanel = (name: string, change: Partial<ProfilePanel>): ProfilesState =>
    state.panel?.name === name ? { ...state, panel: { ...state.panel, ...change } } : state;
  switch (action.type) {
    case "loaded":
      return { ...state, items: action.items, phase: "ready" };
    case "load_failed":
      return state.phase === "ready" ? state : { ...state, phase: "failed" };
    case "chosen":
      return state.chosen === action.name ? state : { ...state, chosen: action.name };
    case "panel":
      if (!action.open) return { ...state, panel: null };
      return state.panel === null ? { ...state, panel: EMPTY_PANEL } : state;
    case "shown":
      return state.panel === null ? state : { ...state, panel: { ...EMPTY_PANEL, name: action.name } };
    case "read":
      return inPanel(action.profile.name, { profile: action.profile, problem: null });
    case "read_failed":
      return inPanel(action.name, { problem: action.problem });
    case "models":
      return inPanel(action.name, { models: action.models });
  }
};

/** Whether a hint that the list of sessions changed says something about profiles, too. */
export const asksForProfiles = (
  state: ProfilesState,
  hint: { readonly session_id?: unknown; readonly profile?: unknown },
): boolean =>
  hint.session_id === undefined ||
  state.panel !== null ||
  (typeof hint.profile === "string" && state.items.every(({ name }) => name !== hint.profile));

/** The profile of the next new session: what was chosen, `default` when that is gone. */
export const choiceOf = ({ items, chosen }: Pick<ProfilesState, "items" | "chosen">): string =>
  items.length === 0 || items.some(({ name }) => name === chosen) ? chosen : DEFAULT_PROFILE;

export const profileOf = (items: readonly ProfileSummary[], name: string): ProfileSummary | null =>
  items.find((item) => item.name === name) ?? null;

/** What people call a profile; with its name where two are called the same. */
export const profileLabel = (items: readonly ProfileSummary[], name: string): string => {
  const label = profileOf(items, name)?.display_name ?? name;
  const isShared = items.some((other) => other.name !== name && other.display_name === label);
  return isShared ? `${label} (${name})` : label;
};

/** Sessions are marked with their profile only where there is something to tell apart. */
export const isMarked = (items: readonly ProfileSummary[]): boolean => items.length > 1;

/** What may be chosen for a session: the visible ones, and the one that it has. */
export const offeredFor = (items: readonly ProfileSummary[], current: string): readonly ProfileSummary[] =>
  items.filter(({ name, visible }) => visible || name === current);

/** Whether the provider's key is there. One that wants none may have one all the same. */
export const keyStateOf = ({ keys, model }: Pick<ProfileSummary, "keys" | "model">): KeyState => {
  if (model === null) return "unknown";
  if (keys.some(({ set }) => !set)) return "missing";
  return model.provider === "demo" ? "none needed" : "set";
};
export type KeyState = "set" | "missing" | "none needed" | "unknown";

/** Provider and model in a few words. */
export const modelText = ({ model }: Pick<ProfileSummary, "model">): string => {
  if (model === null) return "";
  return model.model === "" ? model.provider : `${model.provider} · ${model.model}`;
};

export const countText = (count: number): string => {
  if (count === 0) return "no sessions";
  return count === 1 ? "1 session" : `${count} sessions`;
};

/** What is wrong with the name of a profile that is being made, as far as it can be told here (P-1); null: nothing, or nothing yet. */
export const nameFault = (items: readonly ProfileSummary[], name: string): string | null => {
  if (name === "") return null;
  if (name === DEFAULT_PROFILE) return "“default” is built in.";
  if (items.some((item) => item.name === name || (item.is_default && item.display_name === name)))
    return "There is a profile of this name already.";
  if (name.length > 64) return "At most 64 characters.";
  if (/^[_-]/.test(name)) return "It begins with a letter or a digit.";
  return PROFILE_NAME.test(name) ? null : "Only a–z, 0–9, _ and -.";
};

/** What is wrong with a display name; an empty one means the name itself. */
export const displayNameFault = (text: string): string | null => {
  if (text.trim().length > MAX_DISPLAY_NAME) return `At most ${MAX_DISPLAY_NAME} characters.`;
  return ONE_LINE.test(text.trim()) ? null : "One line without control characters.";
};
