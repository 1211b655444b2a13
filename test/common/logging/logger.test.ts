import { describe, expect, test } from "@jest/globals";
import { createLogger, runLogger, SECRET_KEYS } from "../../../common/logging/logger.ts";

const CANARY = "canary-5f1e9";
const capture = () => {
  const lines: string[] = [];
  const log = createLogger({
    name: "test",
    level: "debug",
    destination: { write: (line) => void lines.push(line) },
  });
  return {
    log,
    text: () => lines.join(""),
    last: () => JSON.parse(lines.at(-1) ?? "null") as Record<string, unknown>,
  };
};

describe("logs", () => {
  test.each(SECRET_KEYS)("no value under the name %s is ever logged, at four depths", (key) => {
    const { log, text } = capture();
    const secret = { [key]: CANARY };
    log.info(secret);
    log.info({ a: secret });
    log.info({ a: { b: secret } });
    log.info({ req: { a: { headers: secret } } });
    log.child(secret).info("child");
    expect(text()).not.toContain(CANARY);
    expect(text()).toContain("[redacted]");
  });

  test("cookies and key headers are masked", () => {
    const { log, text } = capture();
    log.info({ req: { headers: { "set-cookie": CANARY, "x-api-key": CANARY } } });
    expect(text()).not.toContain(CANARY);
  });

  test("security 17: an error is logged without what a library hung on it", () => {
    const { log, text, last } = capture();
    const cause = Object.assign(new Error("inner"), { code: "ECONNRESET", request: { auth: CANARY } });
    const key = `sk-${"a1".repeat(12)}`;
    log.error({ err: Object.assign(new SyntaxError(`bad ${key}`, { cause }), { raw: CANARY }) }, "failed");
    expect(text()).not.toContain(CANARY);
    expect(text()).not.toContain(key);
    expect(last()).toMatchObject({
      msg: "failed",
      err: {
        type: "SyntaxError",
        message: "bad [redacted]",
        cause: { code: "ECONNRESET", message: "inner" },
      },
    });
  });

  test("a run's logger carries run, session, attempt and profile", () => {
    const { log, last } = capture();
    runLogger(log, { run: "run_1", session: "ses_1", attempt: 2, profile: "default" }).info("started");
    expect(last()).toMatchObject({
      run: "run_1",
      session: "ses_1",
      attempt: 2,
      profile: "default",
      name: "test",
    });
  });
});
