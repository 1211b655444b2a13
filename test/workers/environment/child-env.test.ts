import { expect, test } from "@jest/globals";
import { buildChildEnv } from "../../../workers/environment/child-env.ts";

test("a child gets the allow-list of the base and nothing else of it", () => {
  const base = {
    PATH: "/bin",
    HOME: "/home/x",
    LANG: "C.UTF-8",
    LC_ALL: "C",
    TZ: "UTC",
    TMPDIR: "/tmp",
    TERM: "dumb",
    USER: "x",
    SHELL: "/bin/sh",
  };
  const secrets = {
    OPENAI_API_KEY: "canary",
    REDIS_URL: "redis://:canary@h",
    TALARIA_TOKEN: "canary",
    NODE_OPTIONS: "-r x",
  };
  expect(buildChildEnv({ ...base, ...secrets, LC_GONE: undefined }, {})).toEqual(base);
});

test("profile-cannot-set-path: a profile adds its own variables but changes no program (P-2)", () => {
  const blocked = [
    "PATH",
    "HOME",
    "NODE_OPTIONS",
    "LD_PRELOAD",
    "ld_preload",
    "DYLD_INSERT_LIBRARIES",
    "XDG_CONFIG_HOME",
    "REDIS_URL",
    "TALARIA_HOME",
    "BASH_ENV",
  ];
  const vars = Object.fromEntries([...blocked, "BAD-NAME", "A=B", ""].map((name) => [name, "evil"]));
  const env = buildChildEnv({ PATH: "/bin" }, { ...vars, OPENAI_API_KEY: "mine", ZERO: "a\0b" });
  expect(env).toEqual({ PATH: "/bin", OPENAI_API_KEY: "mine" });
});
