import { rename, rm } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, test } from "@jest/globals";
import { isAlive } from "../../helpers/process.ts";
import { eventually } from "../../helpers/wait.ts";
import { call, fixture, type McpHouse, section, who, withMcp } from "./harness.ts";

const starts = (house: McpHouse): string => join(house.home, "starts");
const counted = (house: McpHouse, label: string, more: Readonly<Record<string, unknown>> = {}) =>
  fixture(label, "", { env: { STARTS: starts(house) }, ...more });

describe("the servers of a worker", () => {
  test("runs of one profile share a server, also those that ask while it starts", () =>
    withMcp(async (house) => {
      await house.write("default", { "config.yaml": section({ s: counted(house, "one") }) });
      const runs = await Promise.all([house.open(), house.open(), house.open()]);
      expect(await house.lines(starts(house))).toHaveLength(1);
      expect(
        new Set(await Promise.all(runs.map(async (run) => (await who(run, "mcp_s_who")).pid))).size,
      ).toBe(1);
      for (const run of runs) run.release();
      const next = await house.open();
      expect(await house.lines(starts(house))).toHaveLength(1);
      next.release();
    }));

  test("P-22 one name in two profiles is two processes; a profile is not offered what another has", () =>
    withMcp(async (house) => {
      await house.write("a", { "config.yaml": section({ postgres: fixture("of a") }) });
      await house.write("b", {
        "config.yaml": section({ postgres: fixture("of b"), more: fixture("more of b") }),
      });
      await house.write("same", { "config.yaml": section({ postgres: fixture("of a") }) });
      await house.write("none", { "config.yaml": "" });
      const [a, b, same, none] = await Promise.all([
        house.open("a"),
        house.open("b"),
        house.open("same"),
        house.open("none"),
      ]);
      const [inA, inB, inSame] = await Promise.all([a, b, same].map((run) => who(run, "mcp_postgres_who")));
      expect([inA?.label, inB?.label, inSame?.label]).toEqual(["of a", "of b", "of a"]);
      expect(new Set([inA?.pid, inB?.pid, inSame?.pid]).size).toBe(3);
      expect(inA?.env.HERMES_HOME).toBe(house.homeOf("a"));
      expect(a.tools.filter(({ name }) => name.startsWith("mcp_more_"))).toEqual([]);
      expect(none.tools).toEqual([]);
      for (const run of [a, b, same, none]) run.release();
    }));

  test("an edit of the entry or of a variable it uses is a new process; the old one ends with its last run", () =>
    withMcp(async (house) => {
      const entry = counted(house, "one", { env: { STARTS: starts(house), KEY: `\${KEY}` } });
      await house.write("default", { "config.yaml": section({ s: entry }), ".env": "KEY=first-value\n" });
      const before = await house.open();
      const old = await who(before, "mcp_s_who");
      await house.write("default", { ".env": "KEY=second-value\nUNUSED=x\n" });
      const after = await house.open();
      const young = await who(after, "mcp_s_who");
      expect([old.env.KEY, young.env.KEY]).toEqual(["first-value", "second-value"]);
      expect((await who(before, "mcp_s_who")).pid).toBe(old.pid);
      before.release();
      await eventually("the old one ended", () => !isAlive(old.pid));
      expect((await who(after, "mcp_s_who")).pid).toBe(young.pid);
      after.release();
      // What it does not use does not concern it.
      await house.write("default", { ".env": "KEY=second-value\nUNUSED=y\n" });
      const same = await house.open();
      expect((await who(same, "mcp_s_who")).pid).toBe(young.pid);
      same.release();
    }));

  test("one that is taken out of the configuration ends with its last run", () =>
    withMcp(async (house) => {
      await house.write("default", { "config.yaml": section({ s: fixture("one"), t: fixture("two") }) });
      const before = await house.open();
      const old = await who(before, "mcp_s_who");
      await house.write("default", { "config.yaml": section({ t: fixture("two") }) });
      const after = await house.open();
      expect((await who(before, "mcp_s_who")).pid).toBe(old.pid);
      before.release();
      await eventually("it ended", () => !isAlive(old.pid));
      expect((await call(after, "mcp_t_echo", { text: "still" })).content).toBe("still");
      after.release();
    }));

  test("an idle one ends after its time, one in use does not", () =>
    withMcp(
      async (house) => {
        await house.write("default", { "config.yaml": section({ s: fixture("one") }) });
        const run = await house.open();
        const { pid } = await who(run, "mcp_s_who");
        await new Promise((resolve) => setTimeout(resolve, 300));
        expect(isAlive(pid)).toBe(true);
        run.release();
        await eventually("it ended", () => !isAlive(pid));
        expect(house.pool.size).toBe(0);
      },
      { idleMs: 100, lookEveryMs: 20 },
    ));

  test("P-26 a deleted profile's servers end; one made anew under its name has its own", () =>
    withMcp(
      async (house) => {
        const files = { "config.yaml": section({ s: fixture("one") }) };
        await house.write("a", files);
        const run = await house.open("a");
        const { pid } = await who(run, "mcp_s_who");
        await rename(house.homeOf("a"), join(house.home, "removed"));
        await rm(join(house.home, "removed"), { recursive: true });
        await house.write("a", files);
        const next = await house.open("a");
        expect((await who(next, "mcp_s_who")).pid).not.toBe(pid);
        run.release();
        await eventually("the old one ended", () => !isAlive(pid));
        const young = await who(next, "mcp_s_who");
        next.release();
        await rm(house.homeOf("a"), { recursive: true });
        await eventually("the other one ended, too", () => !isAlive(young.pid));
      },
      { lookEveryMs: 20 },
    ));

  test("there are never more than so many: the longest idle one makes room, one in use does not", () =>
    withMcp(
      async (house) => {
        for (const name of ["a", "b", "c"])
          await house.write(name, { "config.yaml": section({ s: fixture(name) }) });
        const a = await house.open("a");
        const { pid } = await who(a, "mcp_s_who");
        (await house.open("b")).release();
        const c = await house.open("c");
        expect(c.warnings).toEqual([]);
        expect(house.pool.size).toBe(2);
        expect((await who(a, "mcp_s_who")).pid).toBe(pid);
        const b = await house.open("b");
        expect(b.warnings).toEqual([
          'The MCP server "s" is not available to this run: this worker has too many servers open.',
        ]);
        for (const run of [a, b, c]) run.release();
      },
      { maxServers: 2 },
    ));

  test("a worker that stops ends all of them, those that are starting included, and starts no more", () =>
    withMcp(async (house) => {
      const hanging = fixture("slow", "silent", { connect_timeout: 60, env: { STARTS: starts(house) } });
      await house.write("a", { "config.yaml": section({ s: fixture("one") }) });
      await house.write("b", { "config.yaml": section({ s: hanging }) });
      const run = await house.open("a");
      const { pid } = await who(run, "mcp_s_who");
      const opening = house.open("b");
      const [line] = await eventually("it started", async () => {
        const lines = await house.lines(starts(house));
        return lines.length > 0 && lines;
      });
      await house.pool.close();
      expect((await opening).warnings).toEqual([expect.stringContaining("this worker is stopping")]);
      for (const each of [pid, Number(line?.split(" ")[1])]) expect(isAlive(each)).toBe(false);
      expect((await house.open("a")).warnings).toEqual([expect.stringContaining("this worker is stopping")]);
    }));
});
