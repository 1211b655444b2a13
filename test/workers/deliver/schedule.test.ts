import { expect, test } from "@jest/globals";
import { nextDelayS } from "../../../workers/deliver/schedule.ts";

const DELAYS = [5, 30, 120];
const middle = { nowMs: Date.parse("2026-01-01T00:00:00Z"), random: () => 0.5 };

test("pauses grow, and end", () => {
  expect([1, 2, 3, 4].map((tries) => nextDelayS(DELAYS, tries, null, middle))).toEqual([5, 30, 120, null]);
});

test("what failed together does not come back together", () => {
  expect(nextDelayS(DELAYS, 2, null, { ...middle, random: () => 0 })).toBeCloseTo(24);
  expect(nextDelayS(DELAYS, 2, null, { ...middle, random: () => 1 })).toBeCloseTo(36);
});

test.each([
  ["100", 100],
  [" 100 ", 100],
  ["1", 5],
  ["Thu, 01 Jan 2026 00:02:00 GMT", 120],
  ["Wed, 31 Dec 2025 00:00:00 GMT", 5],
  ["99999999", 86_400],
  ["-5", 5],
  ["soon", 5],
  ["1e3", 5],
])("Retry-After: %s counts where it is later, within a day", (asked, expected) => {
  expect(nextDelayS(DELAYS, 1, asked, middle)).toBeCloseTo(expected);
});

test("asking for a later attempt makes none more", () => {
  expect(nextDelayS(DELAYS, 4, "10", middle)).toBeNull();
});
