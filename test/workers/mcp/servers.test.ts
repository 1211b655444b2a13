import { join } from "node:path";
import { describe, expect, test } from "@jest/globals";
import { isAlive } from "../../helpers/process.ts";
import { eventually } from "../../helpers/wait.ts";
import { $, call, fixture, section, who, withMcp } from "./harness.ts";

describe("a server process", () => {
  test("its tools have names of ours, and its descriptions and schemas; the model's arguments reach it", () =>
    withMcp(async (house) => {
      await house.write("default", { "config.yaml": section({ "my db": fixture("one", "noisy") }) });
      const run = await house.open();
      expect(run.warnings).toEqual([]);
      const [prefix] = (run.tools[0]?.name ?? "").split("who");
      expect(prefix).toMatch(/^mcp_my_db_[0-9a-f]{8}_$/);
      expect(run.tools[0]).toMatchObject({
        description: "who of one",
        inputSchema: { type: "object", properties: { text: { type: "string" } } },
        idempotent: false,
      });
      expect(await call(run, `${prefix}echo`, { text: "hello" })).toEqual({
        content: "hello",
        isError: false,
      });
      const refused = run.tools[1]?.prepare([1]);
      expect(refused).toEqual({ ok: false, problem: "The arguments are no object." });
      run.release();
    }));

  test("results are texts of bounded size: images are notes, structured content is JSON, failures are errors", () =>
    withMcp(async (house) => {
      await house.write("default", { "config.yaml": section({ s: fixture("one") }) });
      const run = await house.open();
      const big = await call(run, "mcp_s_big");
      expect(Buffer.byteLength(big.content)).toBeLessThan(66 * 1024);
      expect([big.content.slice(0, 6), big.content.slice(-4)]).toEqual(["beginx", "xend"]);
      expect((await call(run, "mcp_s_picture")).content).toBe("[image, image/png, 3 KB: not shown]\nseen");
      expect(JSON.parse((await call(run, "mcp_s_structured")).content)).toEqual({ rows: [1, 2] });
      expect(await call(run, "mcp_s_fail")).toEqual({ content: "no such table", isError: true });
      const refused = await call(run, "mcp_s_refuse");
      expect(refused.isError).toBe(true);
      expect(refused.content).toContain("no tool refuse");
      run.release();
    }));

  test("too many tools, and too large ones, are left out and said", () =>
    withMcp(async (house) => {
      await house.write("default", { "config.yaml": section({ s: fixture("one", "rich") }) });
      const run = await house.open();
      expect(run.tools).toHaveLength(128);
      expect(run.tools.map(({ name }) => name)).not.toContain("mcp_s_large");
      expect(run.warnings).toEqual([expect.stringContaining("has 36 tools too many, or too large ones")]);
      run.release();
    }));

  test("only the tools that the configuration names are offered", () =>
    withMcp(async (house) => {
      const only = fixture("one", "", { tools: { include: ["echo", "who"] } });
      const without = fixture("two", "", { tools: { exclude: ["die", "spawn"] } });
      await house.write("default", { "config.yaml": section({ only, without }) });
      const run = await house.open();
      const names = run.tools.map(({ name }) => name);
      expect(names.filter((name) => name.startsWith("mcp_only_"))).toEqual(["mcp_only_who", "mcp_only_echo"]);
      expect(names).toContain("mcp_without_big");
      expect(names).not.toContain("mcp_without_die");
      run.release();
    }));

  test("a hint of the server counts only where its owner says so", () =>
    withMcp(async (house) => {
      const servers = { plain: fixture("one"), trusted: fixture("two", "", { trust_hints: true }) };
      await house.write("default", { "config.yaml": section(servers) });
      const run = await house.open();
      const repeatable = run.tools.filter(({ idempotent }) => idempotent).map(({ name }) => name);
      expect(repeatable).toEqual(["mcp_trusted_mark_hinted"]);
      run.release();
    }));

  test("one that dies, hangs or does not exist costs its own tools, within its time, and nothing of it is told", () =>
    withMcp(async (house) => {
      const servers = {
        good: fixture("good"),
        crashed: fixture("bad", "crash", { env: { SECRET_KEY: "canary-of-the-entry" } }),
        hanging: fixture("bad", "silent", { connect_timeout: 1 }),
        missing: { command: "no-such-program-canary" },
        nowhere: fixture("bad", "", { cwd: "nowhere" }),
      };
      await house.write("default", { "config.yaml": section(servers) });
      const startedMs = performance.now();
      const run = await house.open();
      expect(performance.now() - startedMs).toBeLessThan(30_000);
      const text = (name: string, reason: string) =>
        `The MCP server "${name}" is not available to this run: ${reason}.`;
      expect(run.warnings).toEqual([
        text("crashed", "its process ended (exit code 1)"),
        text("hanging", "it did not answer within 1 s"),
        text("missing", "its command was not found"),
        text("nowhere", "its cwd is no folder"),
      ]);
      expect((await who(run, "mcp_good_who")).label).toBe("good");
      expect(house.logged()).toContain("its process ended (exit code 1)");
      expect(house.logged()).not.toContain("canary");
      run.release();
      expect(house.pool.size).toBe(1);
    }));

  test("one that dies in a call: the call says so, the next run has a new one", () =>
    withMcp(async (house) => {
      await house.write("default", { "config.yaml": section({ s: fixture("one") }) });
      const run = await house.open();
      const first = await who(run, "mcp_s_who");
      const died = await call(run, "mcp_s_die");
      expect(died.content).toBe(
        'The MCP server "s" failed: its process ended (exit code 3). It may or may not have taken effect.',
      );
      expect((await call(run, "mcp_s_echo")).content).toContain("has ended");
      run.release();
      const next = await house.open();
      expect((await who(next, "mcp_s_who")).pid).not.toBe(first.pid);
      next.release();
    }));

  test("a stop during a call ends the call at once and tells the server; the server stays", () =>
    withMcp(async (house) => {
      await house.write("default", { "config.yaml": section({ s: fixture("one") }) });
      const run = await house.open();
      const { pid } = await who(run, "mcp_s_who");
      const file = join(house.home, "log");
      const stop = new AbortController();
      const waiting = call(run, "mcp_s_wait", { file }, stop.signal);
      await eventually("the call began", async () => (await house.lines(file)).includes("started"));
      stop.abort(new Error("stopped by a person"));
      await expect(waiting).rejects.toThrow("stopped by a person");
      await eventually("the server knows", async () => (await house.lines(file)).includes("cancelled"));
      expect((await who(run, "mcp_s_who")).pid).toBe(pid);
      run.release();
    }));

  test("a call has its time; the server that was slow is asked again", () =>
    withMcp(async (house) => {
      await house.write("default", { "config.yaml": section({ s: fixture("one", "", { timeout: 0.5 }) }) });
      const run = await house.open();
      expect(await call(run, "mcp_s_wait")).toEqual({
        content:
          'The MCP server "s" failed: it did not answer within 0.5 s. It may or may not have taken effect.',
        isError: true,
      });
      expect((await call(run, "mcp_s_echo", { text: "here" })).content).toBe("here");
      run.release();
    }));

  test("a stop while a hanging server starts is not waited for", () =>
    withMcp(async (house) => {
      const hanging = fixture("bad", "silent", {
        connect_timeout: 60,
        env: { STARTS: join(house.home, "starts") },
      });
      await house.write("default", { "config.yaml": section({ hanging }) });
      const stop = new AbortController();
      const opening = house.open("default", stop.signal);
      const [line] = await eventually("it started", async () => {
        const lines = await house.lines(join(house.home, "starts"));
        return lines.length > 0 && lines;
      });
      stop.abort(new Error("stopped"));
      expect(await opening).toMatchObject({ tools: [], warnings: [] });
      await house.pool.close();
      expect(isAlive(Number(line?.split(" ")[1]))).toBe(false);
    }));

  test("what a server offers anew is there for the next run", () =>
    withMcp(async (house) => {
      await house.write("default", { "config.yaml": section({ s: fixture("one") }) });
      const run = await house.open();
      await call(run, "mcp_s_grow");
      run.release();
      const next = await house.open();
      expect(run.tools.map(({ name }) => name)).not.toContain("mcp_s_grown");
      expect(next.tools.map(({ name }) => name)).toContain("mcp_s_grown");
      next.release();
    }));

  test("it ends with everything that it started, also when it ignores being asked", () =>
    withMcp(async (house) => {
      await house.write("default", { "config.yaml": section({ s: fixture("one", "stubborn") }) });
      const run = await house.open();
      const { pid } = await who(run, "mcp_s_who");
      const grandchild = Number((await call(run, "mcp_s_spawn")).content);
      expect([pid, grandchild].every(isAlive)).toBe(true);
      run.release();
      await house.pool.close();
      for (const each of [pid, grandchild]) await eventually("it is gone", () => !isAlive(each));
    }));

  test("what a server that died has left behind ends with it", () =>
    withMcp(async (house) => {
      await house.write("default", { "config.yaml": section({ s: fixture("one") }) });
      const run = await house.open();
      const grandchild = Number((await call(run, "mcp_s_spawn")).content);
      expect(isAlive(grandchild)).toBe(true);
      await call(run, "mcp_s_die");
      await eventually("it is gone", () => !isAlive(grandchild));
      run.release();
    }));

  test("P-20, P-23: a server gets neutral variables, its own entry and who the profile is, and nothing else", () =>
    withMcp(
      async (house) => {
        const env = { TOKEN: $("MY_TOKEN"), PLAIN: "plain", SERVER: $("SERVER_KEY"), LD_X: $("HOME") };
        const entry = fixture("one", "", { env, cwd: "sub" });
        await house.write("default", {
          "config.yaml": section({ s: entry }),
          ".env": "MY_TOKEN=mine-1234567\nOTHER_KEY=canary-of-the-profile\n",
          "sub/x": "",
        });
        await house.write("other", { ".env": "OTHER=canary-of-another\n" });
        const run = await house.open();
        expect(run.warnings).toEqual([expect.stringContaining("so they are empty: SERVER_KEY.")]);
        const { env: seen, cwd } = await who(run, "mcp_s_who");
        expect(cwd).toBe(join(house.home, "sub"));
        const { PWD: _pwd, OLDPWD: _oldpwd, SHLVL: _shlvl, _, ...rest } = seen;
        expect(rest).toEqual({
          PATH: process.env.PATH,
          HOME: "/home/of-the-worker",
          TOKEN: "mine-1234567",
          PLAIN: "plain",
          SERVER: "",
          LD_X: "/home/of-the-worker",
          AWS_EC2_METADATA_DISABLED: "true",
          METADATA_SERVER_DETECTION: "none",
          NO_GCE_CHECK: "true",
          TALARIA_PROFILE: "default",
          HERMES_HOME: house.home,
        });
        run.release();
      },
      { base: { HOME: "/home/of-the-worker", SERVER_KEY: "canary-of-the-server", TALARIA_TOKEN: "canary" } },
    ));
});
