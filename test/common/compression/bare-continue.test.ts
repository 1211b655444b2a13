import { expect, test } from "@jest/globals";
import { isBareContinue } from "../../../common/compression/bare-continue.ts";

test.each([
  "continue",
  " Continue. ",
  "please go on!",
  "weiter",
  "Bitte weiter",
  "继续",
  "続けて",
  "продолжай",
])("B-29: %j asks for nothing but to go on", (text) => expect(isBareContinue(text)).toBe(true));
test.each(["continue with the tests", "go on vacation?", "", "weitere Ideen", "hello"])(
  "%j says more, or something else",
  (text) => expect(isBareContinue(text)).toBe(false),
);
