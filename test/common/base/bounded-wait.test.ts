import { describe, expect, test } from "@jest/globals";
import { beforeAbort, within } from "../../../common/base/bounded-wait.ts";

const never = new Promise<never>(() => undefined);

describe("within", () => {
  test("what takes longer has the outcome given for that, and its failure afterwards is nobody's", async () => {
    const work = Promise.withResolvers<string>();
    expect(await within(work.promise, 1, "late")).toBe("late");
    work.reject(new Error("nobody hears this"));
    await expect(work.promise).rejects.toThrow("nobody hears this");
  });

  test("an outcome, good or bad, is passed on as it comes", async () => {
    expect(await within(Promise.resolve("done"), 60_000, "late")).toBe("done");
    await expect(within(Promise.reject(new Error("broken")), 60_000, "late")).rejects.toThrow("broken");
  });
});

describe("beforeAbort", () => {
  test("rejects with the signal's reason, before and while it waits", async () => {
    const stop = new AbortController();
    const waiting = beforeAbort(never, stop.signal);
    stop.abort(new Error("stopped"));
    await expect(waiting).rejects.toThrow("stopped");
    await expect(beforeAbort(never, stop.signal)).rejects.toThrow("stopped");
  });

  test("what is done already counts, also with a signal that is over", async () => {
    expect(await beforeAbort(Promise.resolve("done"), AbortSignal.abort())).toBe("done");
  });
});
