import { describe, expect, it } from "@jest/globals";
import {
  beginEdit,
  changesOf,
  faultsOf,
  rebased,
  refusedFields,
  saved,
  typed,
} from "../../api/web/model/profile-draft.ts";
import { PatchProfileBody } from "../../common/contracts/profile.ts";
import { profile } from "./profile-story.ts";

const work = profile("work", {
  display_name: "At work",
  model: { provider: "custom", model: "m", base_url: "http://h/v1" },
  instructions: "Be brief.",
  agent: { max_steps: 20 },
});

describe("what a person changes of a profile", () => {
  it("nothing is sent of what was not changed, nor of what was changed back", () => {
    const edit = beginEdit(work);
    expect(changesOf(edit)).toBeNull();
    expect(changesOf(typed(edit, { model: "m ", instructions: "Be brief.\n" }))).toBeNull();
    expect(changesOf(typed(typed(edit, { model: "x" }), { model: "m" }))).toBeNull();
    expect(changesOf(typed(edit, { model: "x" }))).toEqual({ model: { default: "x" } });
  });

  it("an emptied field takes the setting out", () => {
    const empty = {
      ...{
        displayName: "",
        baseUrl: "",
        model: "",
        provider: "",
        instructions: " ",
        botName: "",
        maxSteps: "",
      },
      visible: false,
    };
    const body = changesOf(typed(beginEdit({ ...work, bot_name: "Obryn" }), empty));
    expect(body).toEqual({
      ...{
        display_name: null,
        visible: false,
        instructions: null,
        bot_name: null,
        agent: { max_steps: null },
      },
      model: { provider: null, base_url: null, default: null },
    });
    expect(PatchProfileBody.parse(body)).toEqual(body);
  });

  it("an address makes the demo model a server of one's own", () => {
    const edit = typed(beginEdit(profile("new")), { baseUrl: "http://h/v1" });
    expect(changesOf(edit)).toEqual({ model: { provider: "custom", base_url: "http://h/v1" } });
  });

  it.each([
    ["displayName", { displayName: "x".repeat(65) }],
    ["displayName", { displayName: "a\u0007b" }],
    ["provider", { provider: "a b" }],
    ["baseUrl", { baseUrl: "file:///etc/passwd" }],
    ["baseUrl", { baseUrl: "http://u:p@h/" }],
    ["model", { model: "x".repeat(201) }],
    ["botName", { botName: "x".repeat(201) }],
    ["maxSteps", { maxSteps: "0" }],
    ["maxSteps", { maxSteps: "1.5" }],
    ["maxSteps", { maxSteps: "10001" }],
    ["maxSteps", { maxSteps: "many" }],
    ["instructions", { instructions: "ä".repeat(12 * 1024 + 1) }],
  ] as const)("%s: %j is told to be wrong, as the server would", (field, change) => {
    const edit = typed(beginEdit(work), change);
    expect(Object.keys(faultsOf(edit))).toEqual([field]);
    expect(PatchProfileBody.safeParse(changesOf(edit)).success).toBe(false);
  });

  it("what the file had already is nobody's fault here", () => {
    const odd = profile("odd", { model: { provider: "custom", model: "m", base_url: "$" + "{BASE}" } });
    expect(faultsOf(beginEdit(odd))).toEqual({});
  });

  it("the server's word on a field stands at the field", () => {
    const faults = [{ path: "model.base_url", message: "expected an address" }];
    expect(refusedFields({ code: "invalid_request", message: "", faults, runs: 0 })).toEqual({
      baseUrl: "expected an address",
    });
    expect(refusedFields({ code: "profile_exists", message: "taken", faults: [], runs: 0 })).toEqual({
      displayName: "taken",
    });
  });
});

describe("changed elsewhere while somebody edits", () => {
  it("fields that were not touched follow, what was typed stays, and a field that both changed is named", () => {
    const edit = typed(beginEdit(work), { model: "mine", botName: "Obryn" });
    const next = { ...work, bot_name: "Theirs", instructions: "Be long." };
    const after = rebased(edit, next);
    expect(after.draft).toMatchObject({ model: "mine", botName: "Obryn", instructions: "Be long." });
    expect(after.clashes).toEqual(["botName"]);
    expect(changesOf(after)).toEqual({ model: { default: "mine" }, bot_name: "Obryn" });
  });

  it("who typed the same has nothing to save", () => {
    const after = rebased(typed(beginEdit(work), { botName: "Same" }), { ...work, bot_name: "Same" });
    expect([changesOf(after), after.clashes]).toEqual([null, []]);
  });

  it("after saving only what was typed since is unsaved", () => {
    const edit = typed(beginEdit(work), { botName: " Obryn ", model: "x" });
    const sent = edit.draft;
    const answer = {
      ...work,
      bot_name: "Obryn",
      model: { provider: "custom", model: "x", base_url: "http://h/v1" },
    };
    expect(changesOf(saved(rebased(edit, answer), sent, answer))).toBeNull();
    const since = typed(rebased(edit, answer), { model: "xy" });
    expect(changesOf(saved(since, sent, answer))).toEqual({ model: { default: "xy" } });
  });
});
