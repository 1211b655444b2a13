import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, test } from "@jest/globals";
import { isAtLeast } from "../../scripts/doctor/finding.ts";
import { listenOnFreePort } from "./fixture.ts";

const doctor = (files: Record<string, string>, env: Record<string, string> = {}) => {
  const home = mkdtempSync(join(tmpdir(), "talaria-doctor-"));
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(join(home, name, ".."), { recursive: true });
    writeFileSync(join(home, name), text, { mode: 0o600 });
  }
  const { REDIS_URL: _redis, ...rest } = process.env;
  const { status, stdout, stderr } = spawnSync(process.execPath, ["scripts/doctor.ts"], {
    env: { ...rest, TALARIA_HOME: home, PORT: "0", ...env },
    encoding: "utf8",
  });
  return { status, text: stdout + stderr };
};

describe("npm run doctor", () => {
  test("an empty home is ready, with the demo model", () => {
    const { status, text } = doctor({});
    expect([status, text]).toEqual([
      0,
      expect.stringMatching(/^ok {4}Model +profile "default": built-in demo/m),
    ]);
    expect(text).toMatch(/^ok {4}SQLite/m);
    expect(text).toMatch(/^ok {4}Redis +the private server is not running/m);
    expect(text).toMatch(/Ready\.\n$/);
  });

  test("every problem is named, without secrets, and the exit code is 1", async () => {
    const taken = await listenOnFreePort();
    const { status, text } = doctor(
      {
        "config.yaml": "model: {provider: custom, default: m}",
        "profiles/keyless/config.yaml": "model: {provider: anthropic, default: m}",
        "profiles/broken/config.yaml": "model: [",
        "profiles/good/config.yaml": "model: {provider: openai, default: m}",
        "profiles/good/.env": "OPENAI_API_KEY=sk-hunter2\nPATH=/x\nhunter2\n",
        "talaria/talaria.db": "no database at all, but long enough for a header ".repeat(30),
      },
      { PORT: String(taken.port), REDIS_URL: "redis://:hunter2@127.0.0.1:1" },
    );
    await taken.close();
    expect(status).toBe(1);
    expect(
      text
        .split("\n")
        .filter((line) => line.startsWith("fail"))
        .sort(),
    ).toEqual([
      expect.stringMatching(/Database .*talaria\.db cannot be checked/),
      expect.stringMatching(/Model .*config\.yaml of profile "broken" is invalid/),
      expect.stringMatching(/Model .*"default": custom m: base_url is missing/),
      expect.stringMatching(/Model .*"keyless": anthropic m: its key is missing/),
      expect.stringMatching(/Port .* is taken by another program/),
      expect.stringMatching(/Redis .*127\.0\.0\.1 \(REDIS_URL\) does not answer/),
    ]);
    expect(text).toMatch(/^warn {2}Keys .*profile "good": PATH belongs to the server/m);
    expect(text).toMatch(/^warn {2}Keys .*profile "good": line 3 of \.env is no NAME=value/m);
    expect(text).not.toContain("hunter2");
  });

  test("wrong settings are told like at a start", () => {
    const { status, text } = doctor({}, { LOG_LEVEL: "loud" });
    expect([status, text]).toEqual([
      1,
      expect.stringContaining('fail  Settings  LOG_LEVEL = "loud": expected'),
    ]);
  });
});

test("versions are compared by number", () => {
  expect(["6.2.0", "7.0.15", "10.0", "6.2"].map((v) => isAtLeast(v, "6.2"))).toEqual([
    true,
    true,
    true,
    true,
  ]);
  expect(["6.0.16", "5.9", ""].map((v) => isAtLeast(v, "6.2"))).toEqual([false, false, false]);
});
