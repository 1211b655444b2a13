import { expect, test } from "@jest/globals";
import { Histogram, Registry } from "prom-client";
import { createHoldTimes } from "../../../workers/environment/hold-times.ts";
import { createNarrowLock, LockHeldError } from "../../../workers/environment/narrow-lock.ts";

test("P-9 nested-acquire-refused: inside, trying answers false and the blocking form throws at once", () => {
  const lock = createNarrowLock(() => {});
  let ran = false;
  const nested = () => {
    ran = true;
  };
  const inner = lock.hold(() => {
    expect(() => lock.hold(nested)).toThrow(LockHeldError);
    return lock.tryHold(nested);
  });
  expect(inner).toBe(false);
  expect(ran).toBe(false);
  expect(lock.tryHold(() => "value")).toEqual({ value: "value" });
});

test("a change that throws gives the lock back and is counted", () => {
  const times = createHoldTimes();
  const lock = createNarrowLock(times.observe);
  const fail = (): string => {
    throw new Error("no");
  };
  expect(() => lock.hold(fail)).toThrow("no");
  expect(lock.hold(() => 1)).toBe(1);
  expect(times.statistics().holds).toBe(2);
});

test("P-8: a change that could be awaited is refused by its type", () => {
  const lock = createNarrowLock(() => {});
  // @ts-expect-error a promise
  lock.hold(async () => 1);
  // @ts-expect-error a promise, too
  lock.tryHold(() => Promise.resolve("x"));
  expect(lock.hold(() => ({ plain: true }))).toEqual({ plain: true });
});

test("hold times: counts and percentiles; nothing held is zero", () => {
  const times = createHoldTimes();
  expect(times.statistics()).toEqual({ holds: 0, p50Us: 0, p99Us: 0, maxUs: 0 });
  for (let i = 1; i <= 100; i++) times.observe(i / 1e6);
  const { holds, p50Us, p99Us, maxUs } = times.statistics();
  expect(holds).toBe(100);
  expect([p50Us, p99Us, maxUs].map(Math.round)).toEqual([50, 99, 100]);
});

test("a prom-client histogram can be what observes", async () => {
  const registers = [new Registry()];
  const histogram = new Histogram({ name: "holds", help: "h", buckets: [0.005], registers });
  const lock = createNarrowLock((seconds) => histogram.observe(seconds));
  lock.hold(() => 1);
  const [metric] = (await registers[0]?.getMetricsAsJSON()) ?? [];
  expect(metric?.values.find((value) => String(value.labels.le) === "+Inf")?.value).toBe(1);
});
