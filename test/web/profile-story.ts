import type { ProfileSummary, ProfileView } from "../../common/contracts/profile.ts";

/** A profile as the server tells it, for the tests of the page. */
export const profile = (name: string, more: Partial<ProfileView> = {}): ProfileView => ({
  name,
  display_name: name,
  visible: true,
  is_default: name === "default",
  state: "ok",
  message: null,
  model: { provider: "demo", model: "", base_url: null },
  keys: [],
  bot_name: null,
  instructions: "",
  instructions_cut: false,
  agent: { max_steps: null },
  limits: { concurrent_runs: null, runs_per_minute: null },
  config_revision: "r1",
  ...more,
});

export const summary = (name: string, more: Partial<ProfileView & ProfileSummary> = {}): ProfileSummary => {
  const {
    instructions: _i,
    instructions_cut: _c,
    agent: _a,
    limits: _l,
    config_revision: _r,
    ...rest
  } = profile(name, more);
  return { ...rest, sessions: more.sessions ?? 0 };
};
