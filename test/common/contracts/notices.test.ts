import { describe, expect, it } from "@jest/globals";
import {
  cancelNotice,
  displayName,
  failedNotice,
  interruptedNotice,
} from "../../../common/contracts/notices.ts";

const running = { beforeStart: false };

describe("notices", () => {
  it("cancel-names-assistant (C-6): the name is trimmed", () => {
    expect(cancelNotice("  Obryn ", running)).toContain("before Obryn finished");
    expect(cancelNotice("Obryn", running).startsWith("**Task cancelled.**")).toBe(true);
    expect(cancelNotice("Obryn", { beforeStart: true }).startsWith("**Task cancelled before start.**")).toBe(
      true,
    );
  });

  it("cancel-blank-name (C-6): blank or missing names fall back to the default", () => {
    for (const name of ["   ", "", "\n\t", null, undefined])
      expect(cancelNotice(name, running)).toContain("before Hermes finished");
  });

  it("cancel-name-markup (C-6): one paragraph, markup characters stand for themselves", () => {
    const notice = cancelNotice("*A* <b>\nB_`[x](y)", running);
    expect(notice).not.toContain("\n");
    expect(notice).toContain("before \\*A\\* \\<b\\> B\\_\\`\\[x\\](y) finished");
  });

  it("a name has at most 64 characters, whole ones", () => {
    expect([...displayName("🪽".repeat(80))]).toHaveLength(64);
  });

  it("failures name their code, interruptions their cause", () => {
    const failed = failedNotice({ code: "rate_limit", message: "Too *many*\nrequests.", hint: "Wait." });
    expect(failed).toBe("**Run failed.** Too \\*many\\* requests. `rate_limit` *Wait.*");
    expect(interruptedNotice()).toContain("The worker was lost");
    expect(interruptedNotice("The owner chose to fail.")).toContain("The owner chose to fail.");
  });
});
