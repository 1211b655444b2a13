import { describe, expect, it } from "@jest/globals";
import { problemText } from "../../api/web/model/problem.ts";
import {
  asksForProfiles,
  choiceOf,
  createProfilesState,
  keyStateOf,
  nameFault,
  offeredFor,
  type ProfilesAction,
  type ProfilesState,
  profileLabel,
  reduceProfiles,
} from "../../api/web/model/profiles.ts";
import { createListState, listLoaded, NO_FILTER, upsertSession } from "../../api/web/model/session-list.ts";
import { profile, summary } from "./profile-story.ts";
import { session } from "./story.ts";

const items = [
  summary("default", { display_name: "kinni" }),
  summary("old", { visible: false }),
  summary("work"),
];
const stateAfter = (...actions: ProfilesAction[]): ProfilesState =>
  actions.reduce(reduceProfiles, createProfilesState());

describe("the profile of a new session", () => {
  it("is the one chosen last; one that is gone falls back to default; before the first answer it stands", () => {
    expect(choiceOf(stateAfter({ type: "chosen", name: "work" }))).toBe("work");
    expect(choiceOf(stateAfter({ type: "chosen", name: "work" }, { type: "loaded", items }))).toBe("work");
    expect(choiceOf(stateAfter({ type: "chosen", name: "gone" }, { type: "loaded", items }))).toBe("default");
  });

  it("is offered among the visible ones, and the one that it has", () => {
    expect(offeredFor(items, "work").map(({ name }) => name)).toEqual(["default", "work"]);
    expect(offeredFor(items, "old").map(({ name }) => name)).toEqual(["default", "old", "work"]);
  });
});

describe("P-1 the name of a new profile, while it is typed", () => {
  it.each(["a", "0", "a-b_c", "a".repeat(64)])("%s will do", (name) => {
    expect(nameFault(items, name)).toBeNull();
  });
  it.each([
    "../x",
    "a/b",
    "A",
    "x\n",
    ".",
    "a".repeat(65),
    "-a",
    "_a",
    "a b",
    "ä",
    "default",
    "work",
    "kinni",
  ])("%j is told to be wrong", (name) => {
    expect(nameFault(items, name)).not.toBeNull();
  });
  it("nothing typed is nothing wrong", () => {
    expect(nameFault(items, "")).toBeNull();
  });
});

describe("what is shown of profiles", () => {
  it("two of one display name are told apart by their names", () => {
    const twins = [
      summary("default"),
      summary("a", { display_name: "Same" }),
      summary("b", { display_name: "Same" }),
    ];
    expect(twins.map(({ name }) => profileLabel(twins, name))).toEqual(["default", "Same (a)", "Same (b)"]);
    expect(profileLabel(twins, "gone")).toBe("gone");
  });

  it("the key is missing when the provider's is not set; the demo model needs none", () => {
    const custom = { provider: "custom", model: "m", base_url: "http://h/v1" };
    const key = (set: boolean) => [{ name: "OPENAI_API_KEY", set }];
    expect(keyStateOf(summary("a", { model: custom, keys: key(false) }))).toBe("missing");
    expect(keyStateOf(summary("a", { model: custom, keys: key(true) }))).toBe("set");
    expect(keyStateOf(summary("a"))).toBe("none needed");
    expect(keyStateOf(summary("a", { model: null }))).toBe("unknown");
  });

  it("an answer about another profile than the one at the side changes nothing", () => {
    const open = stateAfter({ type: "panel", open: true }, { type: "shown", name: "work" });
    expect(reduceProfiles(open, { type: "read", profile: profile("old") })).toBe(open);
    const read = reduceProfiles(open, { type: "read", profile: profile("work") });
    expect(read.panel?.profile?.name).toBe("work");
    const closed = reduceProfiles(read, { type: "panel", open: false });
    expect(reduceProfiles(closed, { type: "read", profile: profile("work") }).panel).toBeNull();
  });

  it("a hint about a session asks for the profiles only when its profile is unknown or somebody looks at them", () => {
    const state = stateAfter({ type: "loaded", items });
    expect(asksForProfiles(state, { session_id: "s", profile: "work" })).toBe(false);
    expect(asksForProfiles(state, { session_id: "s", profile: "new" })).toBe(true);
    expect(asksForProfiles(state, { profile: "work" })).toBe(true);
    expect(asksForProfiles(state, {})).toBe(true);
    const open = reduceProfiles(state, { type: "panel", open: true });
    expect(asksForProfiles(open, { session_id: "s", profile: "work" })).toBe(true);
  });

  it("a refusal is one sentence; what is said at its field is not said again", () => {
    const faults = [
      { path: "bot_name", message: "too long" },
      { path: "model.x", message: "this call knows no such field" },
    ];
    const problem = { code: "invalid_request", message: "not valid", faults, runs: 0 };
    expect(problemText(problem, new Set(["bot_name"]))).toBe(
      "Not valid. Model.x: this call knows no such field.",
    );
    expect(problemText(problem, new Set(["bot_name", "model.x"]))).toBe(
      "Look at the fields that are marked.",
    );
  });
});

describe("the list of sessions by profile", () => {
  it("a session of another profile leaves, whatever the other conditions", () => {
    const filter = { ...NO_FILTER, profile: "work" };
    const list = listLoaded(
      { ...createListState(), filter },
      { query: "", filter, items: [{ ...session("a"), profile: "work" }], nextCursor: null, append: false },
    );
    expect(upsertSession(list, { ...session("a"), profile: "default" }).items).toEqual([]);
    expect(upsertSession(list, { ...session("b"), profile: "work" }).items.map(({ id }) => id)).toEqual([
      "b",
      "a",
    ]);
  });
});
