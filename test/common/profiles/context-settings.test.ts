import { describe, expect, test } from "@jest/globals";
import { contextLimits, readContextSettings } from "../../../common/profiles/context-settings.ts";
import { parseSettings } from "../../../common/profiles/settings.ts";

const settingsOf = (yaml: string) => parseSettings(yaml, {}, "config.yaml");

describe("when a profile's context is compressed", () => {
  test("nothing said: by itself, from three quarters of an assumed window on", () => {
    expect(settingsOf("").context).toEqual({ contextLength: null, automatic: true, threshold: 0.75 });
    expect(contextLimits(settingsOf(""), null)).toEqual({
      ...{ contextLength: 128_000, thresholdTokens: 96_000, automatic: true },
    });
  });
  test("a window and a threshold of its own; another model than the profile's has the assumed window", () => {
    const settings = settingsOf("model: {default: m, context_length: 4000}\ncompression: {threshold: 0.5}\n");
    const own = { contextLength: 4_000, thresholdTokens: 2_000 };
    expect(contextLimits(settings, null)).toMatchObject(own);
    expect(contextLimits(settings, "m")).toMatchObject(own);
    expect(contextLimits(settings, "another")).toMatchObject({
      contextLength: 128_000,
      thresholdTokens: 64_000,
    });
  });
  test.each([false, "no", "off", 0])("%j switches it off", (enabled) => {
    expect(readContextSettings(undefined, { enabled }).settings.automatic).toBe(false);
  });
  test.each([
    ["compression: {threshold: 7}", "compression.threshold is no number from 0.1 to 0.95"],
    ["model: {context_length: many}", "model.context_length is no number from 1000 to 20000000"],
    ["compression: [1]", "compression is no map"],
  ])("what is wrong is said and does not stop a run: %s", (yaml, warning) => {
    const { context, warnings } = settingsOf(yaml);
    expect(warnings).toContain(warning);
    expect(context).toEqual({ contextLength: null, automatic: true, threshold: 0.75 });
  });
});
