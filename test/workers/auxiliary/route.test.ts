import { describe, expect, test } from "@jest/globals";
import type { AuxiliarySettings } from "../../../common/profiles/port.ts";
import { auxiliaryRoutes } from "../../../workers/auxiliary/route.ts";

const CHAT = { provider: "custom", model: "chat", baseUrl: "http://chat.test/v1", apiKey: "chat-key" };
const SMALL = { provider: "openai", model: "small", baseUrl: null, apiKey: "other-key" };
const routes = (
  sessionModel: string | null,
  changes: Partial<AuxiliarySettings> = {},
  chat = CHAT,
): ReturnType<typeof auxiliaryRoutes> =>
  auxiliaryRoutes({ model: null, timeoutMs: 15_000, ...changes }, chat, sessionModel);

describe("the routes of background work", () => {
  test("the session's own model, cooler, where the profile has none for the task", () => {
    expect(routes(null)).toEqual([{ name: "session", model: CHAT, temperature: 0.1, timeoutMs: 15_000 }]);
    expect(routes("other", { timeoutMs: 5_000 })).toEqual([
      { name: "session", model: { ...CHAT, model: "other" }, temperature: 0.1, timeoutMs: 5_000 },
    ]);
  });

  test("the model for the task first, each with its own key", () => {
    expect(routes(null, { model: SMALL })).toEqual([
      { name: "auxiliary", model: SMALL, temperature: 0.2, timeoutMs: 15_000 },
      { name: "session", model: CHAT, temperature: 0.1, timeoutMs: 15_000 },
    ]);
  });

  test("the same model is not asked under two names", () => {
    expect(routes(null, { model: { ...CHAT } }).map(({ name }) => name)).toEqual(["auxiliary"]);
  });

  test("a model in the picker's form; one of another provider is no route (B-34)", () => {
    expect(routes("@custom:llama3:8b")[0]?.model).toEqual({ ...CHAT, model: "llama3:8b" });
    expect(routes("@anthropic:claude")).toEqual([]);
    expect(routes("@anthropic:claude", { model: SMALL }).map(({ name }) => name)).toEqual(["auxiliary"]);
    expect(routes(null, {}, { ...CHAT, model: "@custom:chat" })[0]?.model).toEqual(CHAT);
  });
});
