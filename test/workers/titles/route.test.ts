import { describe, expect, test } from "@jest/globals";
import type { TitleSettings } from "../../../common/profiles/port.ts";
import { titleRoutes } from "../../../workers/titles/route.ts";

const CHAT = { provider: "custom", model: "chat", baseUrl: "http://chat.test/v1", apiKey: "chat-key" };
const SMALL = { provider: "openai", model: "small", baseUrl: null, apiKey: "other-key" };
const profile = (changes: Partial<TitleSettings> = {}, model = CHAT) => ({
  model,
  auxiliary: {
    titles: { enabled: true, model: null, timeoutMs: 15_000, refreshEvery: 0 as const, ...changes },
  },
});

describe("the routes to a title", () => {
  test("the session's own model, cooler, where the profile has no model for titles", () => {
    expect(titleRoutes(profile(), null)).toEqual([
      { name: "session", model: CHAT, temperature: 0.1, timeoutMs: 15_000 },
    ]);
    expect(titleRoutes(profile({ timeoutMs: 5_000 }), "other")).toEqual([
      { name: "session", model: { ...CHAT, model: "other" }, temperature: 0.1, timeoutMs: 5_000 },
    ]);
  });

  test("the model for titles first, each with its own key", () => {
    expect(titleRoutes(profile({ model: SMALL }), null)).toEqual([
      { name: "titles", model: SMALL, temperature: 0.2, timeoutMs: 15_000 },
      { name: "session", model: CHAT, temperature: 0.1, timeoutMs: 15_000 },
    ]);
  });

  test("the same model is not asked under two names", () => {
    expect(titleRoutes(profile({ model: { ...CHAT } }), null).map(({ name }) => name)).toEqual(["titles"]);
  });

  test("a model in the picker's form; one of another provider is no route (B-34)", () => {
    expect(titleRoutes(profile(), "@custom:llama3:8b")[0]?.model).toEqual({ ...CHAT, model: "llama3:8b" });
    expect(titleRoutes(profile(), "@anthropic:claude")).toEqual([]);
    expect(titleRoutes(profile({ model: SMALL }), "@anthropic:claude").map(({ name }) => name)).toEqual([
      "titles",
    ]);
    expect(titleRoutes(profile({}, { ...CHAT, model: "@custom:chat" }), null)[0]?.model).toEqual(CHAT);
  });
});
