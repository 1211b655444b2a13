import { describe, expect, test } from "@jest/globals";
import { expandServer, type McpServer, parseMcpServers } from "../../../common/profiles/mcp-servers.ts";
import { resolveProfile } from "../../../common/profiles/resolve.ts";
import { newHome } from "./homes.ts";

const parse = (entry: unknown) => parseMcpServers({ s: entry });
const server = (entry: unknown): McpServer => {
  const [found] = parse(entry).servers;
  if (found === undefined) throw new Error(parse(entry).warnings.join());
  return found;
};
const $ = (name: string): string => `\${${name}}`;

describe("mcp_servers", () => {
  test("processes and endpoints in the layout of a Hermes home, times in seconds", () => {
    const args = ["-y", 5, true];
    expect(server({ command: "npx", args, env: { A: "x", B: 1 }, cwd: "sub", timeout: 30 })).toEqual({
      ...{ kind: "stdio", name: "s", command: "npx", args: ["-y", "5", "true"], env: { A: "x", B: "1" } },
      ...{ cwd: "sub", timeoutMs: 30_000, connectTimeoutMs: 10_000, trustHints: false },
      ...{ include: null, exclude: [] },
    });
    const http = {
      url: "https://h/mcp",
      headers: { "X-Key": "k" },
      connect_timeout: 9999,
      trust_hints: true,
    };
    expect(server(http)).toEqual({
      ...{ kind: "http", name: "s", url: "https://h/mcp", headers: { "X-Key": "k" } },
      ...{ timeoutMs: 120_000, connectTimeoutMs: 120_000, trustHints: true, include: null, exclude: [] },
    });
  });

  test("one that is switched off is left out quietly, whatever else it says", () => {
    for (const enabled of [false, "false", "off"])
      expect(parse({ command: 1, args: "x", enabled })).toEqual({ servers: [], names: ["s"], warnings: [] });
    expect(parse({ command: "x", enabled: "yes" }).servers).toHaveLength(1);
  });

  test("a malformed one is left out with its name and the field, never the value; the others stay", () => {
    const cases: readonly (readonly [unknown, string])[] = [
      [{ command: { canary: 1 } }, "command cannot be understood"],
      [{ command: "x", args: ["ok", { canary: 1 }] }, "args.1 cannot be understood"],
      [{ command: "x", args: "canary" }, "args cannot be understood"],
      [{ command: "x", env: { A: ["canary"] } }, "env.A cannot be understood"],
      [{ command: "x", env: { "A B": "canary" } }, "env.A B cannot be understood"],
      [{ command: "x", timeout: "canary" }, "timeout cannot be understood"],
      [{ command: "x", timeout: -1 }, "timeout cannot be understood"],
      [{ command: "x", enabled: "canary" }, "enabled cannot be understood"],
      [{ command: "x\0canary" }, "command cannot be understood"],
      [{ command: "x", tools: { include: "canary" } }, "tools.include cannot be understood"],
      [{ url: "http://h", headers: { "a\nb": "canary" } }, "headers.a b cannot be understood"],
      [{ url: "http://h", transport: "canary" }, "transport is not supported, only streamable HTTP is"],
      [{ url: "http://h", auth: "canary" }, "auth is not supported; name a key in headers"],
      [{ command: "x", url: "canary" }, "it has both command and url"],
      [{ args: ["canary"] }, "command or url is missing"],
      ["canary", "the entry cannot be understood"],
      [null, "the entry cannot be understood"],
      [["canary"], "the entry cannot be understood"],
    ];
    for (const [entry, fault] of cases) {
      const { servers, warnings } = parseMcpServers({ bad: entry, good: { command: "x" } });
      expect(servers.map(({ name }) => name)).toEqual(["good"]);
      expect(warnings).toEqual([`mcp_servers.bad: ${fault}; the server is left out`]);
    }
    expect(parseMcpServers(["canary"]).warnings).toEqual(["mcp_servers is no map of servers and is ignored"]);
    expect(parseMcpServers({ "a\nb": { command: "x" } }).warnings[0]).toContain("mcp_servers.a b: its name");
    expect(parseMcpServers(null)).toEqual({ servers: [], names: [], warnings: [] });
  });

  test("a home with more servers than one can have keeps the first ones", () => {
    const many = Object.fromEntries(Array.from({ length: 40 }, (_, i) => [`s${i}`, { command: "x" }]));
    const { servers, warnings } = parseMcpServers(many);
    expect(servers).toHaveLength(32);
    expect(warnings).toHaveLength(1);
  });

  test("P-23 template-does-not-reach-server: templates come from the given variables only, what is missing is named", () => {
    process.env.SERVER_ONLY = "canary";
    const entry = {
      command: $("BIN"),
      args: [`--x=${$("MINE")}`],
      env: { K: $("SERVER_ONLY") },
      cwd: $("DIR"),
    };
    const { server: expanded, missing } = expandServer(server(entry), {
      BIN: "b",
      MINE: `${$("BIN")}`,
      DIR: "d",
    });
    delete process.env.SERVER_ONLY;
    // What a value says is not expanded again.
    expect(expanded).toMatchObject({ command: "b", args: [`--x=${$("BIN")}`], env: { K: "" }, cwd: "d" });
    expect(missing).toEqual(["SERVER_ONLY"]);
    const http = server({ url: `http://${$("H")}/`, headers: { Authorization: `Bearer ${$("toString")}` } });
    expect(expandServer(http, { H: "h" })).toMatchObject({
      server: { url: "http://h/", headers: { Authorization: "Bearer " } },
      missing: ["toString"],
    });
  });

  test("P-25: keys that stand in the section are secrets of the profile; its templates stay as they are", async () => {
    const config = {
      a: {
        command: "x",
        args: ["--token=arg-one", "--api-key", "arg-two", "pg://u:arg-three@h/d", "--level", "debug"],
        env: { DB_PASSWORD: "in-the-env", MODE: "reading", TOKEN: $("MINE_KEY") },
      },
      b: {
        url: "https://h/mcp?key=in-the-url&page=two",
        headers: { Authorization: "Bearer in-the-header", Accept: "text/plain" },
      },
    };
    const home = newHome({
      "config.yaml": `mcp_servers: ${JSON.stringify(config)}`,
      ".env": "MINE_KEY=in-the-file",
    });
    const profile = await resolveProfile(home, "default");
    for (const secret of [
      "arg-one",
      "arg-two",
      "arg-three",
      "in-the-env",
      "in-the-url",
      "in-the-header",
      "in-the-file",
    ])
      expect(profile.secrets).toContain(secret);
    for (const word of ["debug", "reading", "two", "text/plain"]) expect(profile.secrets).not.toContain(word);
    expect(JSON.stringify(profile.mcp)).not.toContain("in-the-file");
  });
});
