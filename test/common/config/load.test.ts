import { mkdtempSync, writeFileSync } from "node:fs";
import { homedir, tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, test } from "@jest/globals";
import { isTalariaError } from "../../../common/base/errors.ts";
import { homeOf, isLoopback, loadConfig } from "../../../common/config/load.ts";
import { SETTINGS } from "../../../common/config/settings.ts";

const newHome = (yaml?: string): string => {
  const home = mkdtempSync(join(tmpdir(), "talaria-config-"));
  if (yaml !== undefined) writeFileSync(join(home, "config.yaml"), yaml);
  return home;
};
const base = (more: Record<string, string> = {}, yaml?: string) => ({
  TALARIA_HOME: newHome(yaml),
  REDIS_URL: "redis://127.0.0.1:6379",
  ...more,
});
/** The lines of the refusal; fails when nothing was refused. */
const faultsOf = (env: Record<string, string>, argv: string[] = []): string[] => {
  try {
    loadConfig(env, { argv });
  } catch (error) {
    if (isTalariaError(error, "config_invalid")) return error.message.split("\n");
    throw error;
  }
  throw new Error("the configuration was accepted");
};

describe("loadConfig", () => {
  test("defaults are complete", () => {
    const env = base();
    expect(loadConfig(env)).toEqual({
      home: env.TALARIA_HOME,
      stateDir: join(env.TALARIA_HOME, "talaria"),
      http: {
        host: "127.0.0.1",
        port: 8787,
        allowedHosts: [],
        trustedProxies: [],
        maxStreams: 2000,
        maxConnections: 4000,
        dashboard: false,
        updateSource: null,
      },
      auth: { password: null, token: null },
      redis: { url: "redis://127.0.0.1:6379", prefix: "talaria" },
      log: { level: "info" },
      worker: {
        queues: ["runs", "titles", "compression", "summaries", "deliveries", "maintenance"],
        profiles: null,
        concurrency: 400,
        jobConcurrency: 8,
        drainMs: 8000,
        lockMs: 4000,
        stalledCheckMs: 1000,
        stallMs: 10_000,
      },
      tracing: { enabled: false, sampler: "parentbased_always_on", samplerArg: 1, ignored: [] },
      deliveries: {
        publicUrl: null,
        privateTargets: [],
        delaysS: [5, 30, 120, 600, 3600, 21_600],
        timeoutMs: 10_000,
        concurrency: 64,
        pushContact: "mailto:talaria@example.com",
      },
      runs: {
        maxAttempts: 3,
        maxSteps: 50,
        cancelGraceMs: 8000,
        maxJournalBytes: 16_777_216,
        completionMaxAgeH: 6,
      },
      journal: { retentionMs: 86_400_000, flushMs: 4, heartbeatMs: 5000, slowReaderMs: 20_000 },
    });
  });

  test("the result is frozen, deep", () => {
    const config = loadConfig(base());
    expect(() => Object.assign(config.http, { port: 1 })).toThrow(TypeError);
    expect(Object.isFrozen(config.worker.queues)).toBe(true);
  });

  test("the environment wins over config.yaml, which wins over the default", () => {
    const yaml =
      "talaria:\n  port: 9000\n  max_steps: 7\n  allowed_hosts: [a.example, b.example:8443]\nmodel: x\n";
    const config = loadConfig(base({ PORT: "9100" }, yaml));
    expect(config.http.port).toBe(9100);
    expect(config.runs.maxSteps).toBe(7);
    expect(config.http.allowedHosts).toEqual(["a.example", "b.example:8443"]);
  });

  test("a blank variable counts as unset", () => {
    expect(loadConfig(base({ PORT: " ", TALARIA_PASSWORD: "" })).http.port).toBe(8787);
  });

  test("all faults are reported together, one line each, with name, value and expectation", () => {
    const lines = faultsOf(
      base({
        PORT: "web",
        LOG_LEVEL: "loud",
        TALARIA_LOCK_MS: "1e3",
        TALARIA_TRUSTED_PROXIES: "10.0.0.0/40",
      }),
    );
    expect(lines).toEqual([
      'PORT = "web": expected a port, 0 to 65535',
      'LOG_LEVEL = "loud": expected one of fatal, error, warn, info, debug, trace, silent',
      'TALARIA_TRUSTED_PROXIES = "10.0.0.0/40": expected addresses or networks (10.0.0.0/8), separated by commas',
      'TALARIA_LOCK_MS = "1e3": expected a whole number of milliseconds, 1000 to 600000',
    ]);
  });

  test.each([
    "https://user@talaria.example/",
    "https://:word@talaria.example/",
    "https://talaria.example/?a",
  ])("public address %s is refused: it stands in links that go out", (url) => {
    expect(faultsOf(base({ TALARIA_PUBLIC_URL: url }))).toEqual([
      expect.stringMatching(/^TALARIA_PUBLIC_URL = .*: expected an http or https address/),
    ]);
  });

  test("secrets are masked in faults", () => {
    const lines = faultsOf(base({ REDIS_URL: "http://user:hunter2@x", TALARIA_TOKEN: "tiny ☠" })).join("\n");
    expect(lines).toContain("REDIS_URL = (hidden)");
    expect(lines).toContain("TALARIA_TOKEN = (hidden)");
    expect(lines).not.toMatch(/hunter2|tiny/);
  });

  test("REDIS_URL is required", () => {
    expect(faultsOf({ TALARIA_HOME: newHome() })).toEqual([
      expect.stringMatching(/^REDIS_URL = not set: expected redis:/),
    ]);
  });

  test.each(["0.0.0.0", "::", "192.168.1.2", "talaria.example"])(
    "host %s without password or token is refused",
    (host) => {
      expect(faultsOf(base({ HOST: host }))).toEqual([expect.stringContaining("is not loopback")]);
      expect(loadConfig(base({ HOST: host, TALARIA_PASSWORD: "long enough" })).http.host).toBe(host);
      expect(loadConfig(base({ HOST: host, TALARIA_TOKEN: "12345678" })).http.host).toBe(host);
    },
  );

  test("loopback is recognised whole", () => {
    for (const host of ["127.0.0.1", "127.9.9.9", "::1", "localhost"]) expect(isLoopback(host)).toBe(true);
    for (const host of ["127.0.0.1.evil.example", "0.0.0.0", "localhost.evil.example"])
      expect(isLoopback(host)).toBe(false);
  });

  test("the worker's flags win", () => {
    const config = loadConfig(base({ TALARIA_CONCURRENCY: "9" }), {
      argv: ["--queues", "runs,titles", "--concurrency", "50"],
    });
    expect(config.worker).toMatchObject({ queues: ["runs", "titles"], concurrency: 50 });
  });

  test("an unknown flag and an unknown key are refused", () => {
    const lines = faultsOf(base({}, "talaria:\n  prot: 1\n"), ["--queue", "runs"]);
    expect(lines).toHaveLength(2);
    expect(lines[0]).toMatch(/^command line = .*Unknown option '--queue'/);
    expect(lines[1]).toMatch(/^talaria\.prot = unknown/);
  });

  test("an unreadable config.yaml is one fault and shows nothing of the file", () => {
    const lines = faultsOf(base({}, "talaria:\n  password: 'hunter2\n"));
    expect(lines).toHaveLength(1);
    expect(lines[0]).toContain("cannot be read");
    expect(lines[0]).not.toContain("hunter2");
  });
});

test("the home is absolute and ~ is the user's", () => {
  expect(homeOf({})).toBe(join(homedir(), ".talaria"));
  expect(homeOf({ TALARIA_HOME: "~/x" })).toBe(join(homedir(), "x"));
  expect(homeOf({ TALARIA_HOME: "rel" })).toBe(join(process.cwd(), "rel"));
});

test("every default is a value its own setting accepts, and names are unique", () => {
  const settings = Object.values(SETTINGS);
  for (const setting of settings)
    if (setting.default !== null)
      expect([setting.name, setting.schema.safeParse(setting.default).success]).toEqual([setting.name, true]);
  expect(new Set(settings.map((s) => s.name)).size).toBe(settings.length);
});
