import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { mkdir, readFile, realpath, symlink } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, test } from "@jest/globals";
import { createProcessTool } from "../../../workers/tools/process/process-tool.ts";
import { createTerminalTool } from "../../../workers/tools/terminal/run-command.ts";
import type { ToolContext, ToolResult } from "../../../workers/tools/tool.ts";
import { isAlive } from "../../helpers/process.ts";
import { eventually } from "../../helpers/wait.ts";
import { callTool, withWorkspace } from "./harness.ts";

const tools = [createTerminalTool()];
const run = (
  workspace: string,
  command: string,
  more: Partial<ToolContext> & { timeout_s?: number } = {},
): Promise<ToolResult> => {
  const { timeout_s, ...context } = more;
  const args = timeout_s === undefined ? { command } : { command, timeout_s };
  return callTool(tools, "run_command", args, { workspace, ...context });
};
/** Reads pids, one a line, as soon as all `count` of them were written. */
const pidsIn = async (file: string, count: number): Promise<readonly number[]> => {
  let pids: readonly number[] = [];
  await eventually(`${count} pids in ${file}`, async () => {
    const text = await readFile(file, "utf8").catch(() => "");
    pids = text.split("\n").slice(0, -1).map(Number);
    return pids.length === count;
  });
  return pids;
};

const ended = (pid: number): Promise<boolean> => eventually(`the end of ${pid}`, () => !isAlive(pid));

describe("run_command", () => {
  test("runs in the workspace, with both outputs in order and the exit code", () =>
    withWorkspace(async (workspace) => {
      const result = await run(workspace, "echo one; echo two >&2; echo three; pwd; exit 3");
      expect(result).toEqual({ content: `one\ntwo\nthree\n${workspace}\n[exit code 3]`, isError: true });
      expect(await run(workspace, "true")).toEqual({ content: "[exit code 0]", isError: false });
      expect(await run(workspace, "printf x")).toEqual({ content: "x\n[exit code 0]", isError: false });
    }));

  test("gives the command the run's environment and nothing of ours", () =>
    withWorkspace(async (workspace) => {
      process.env.CANARY_KEY = "canary";
      const { content } = await run(workspace, "env", { childEnv: { PATH: "/usr/bin:/bin", OWN: "yes" } });
      delete process.env.CANARY_KEY;
      expect(content).toContain("OWN=yes");
      expect(content).not.toContain("canary");
      const names = content
        .split("\n")
        .slice(0, -1)
        .map((line) => line.split("=")[0]);
      expect(
        names.filter((name) => !["PATH", "OWN", "PWD", "OLDPWD", "SHLVL", "_"].includes(name ?? "")),
      ).toEqual([]);
    }));

  test("gives the command no input and no other open file", () =>
    withWorkspace(async (workspace) => {
      const show = "ls /proc/self/fd | tr '\\n' ' '";
      // Whoever started the tests may have left files open in every process below.
      const { stdout } = spawnSync("/bin/sh", ["-c", show], { encoding: "utf8" });
      const { content } = await run(workspace, `cat; ${show}`);
      expect(content).toBe(`${stdout}\n[exit code 0]`);
    }));

  test("a missing workspace is told", () =>
    withWorkspace(async (workspace) => {
      expect(await run(join(workspace, "gone"), "true")).toMatchObject({ isError: true });
    }));

  test("control sequences do not survive, text does (103)", () =>
    withWorkspace(async (workspace) => {
      const codes = [
        "\\033[31mred\\033[0m",
        "\\033]0;title\\007A",
        "\\033]52;c;a+b/c=\\033\\\\B",
        "\\033P1$r\\033\\\\C",
        "\\033(BD",
        "50%%\\r100%%\\r\\n",
        "\\033]52;never ended\\nE\\a\\b",
      ];
      const { content } = await run(workspace, `printf '${codes.join("")}'`);
      expect(content).toBe("redABCD50%\n100%\n\nE\n[exit code 0]");
    }));

  test("a line of 50 MB costs 64 KB, beginning and end are kept (104)", () =>
    withWorkspace(async (workspace) => {
      const { content } = await run(
        workspace,
        "printf begin; head -c 52428800 /dev/zero | tr '\\0' x; printf end",
      );
      expect(Buffer.byteLength(content)).toBeLessThan(66 * 1024);
      expect(content.startsWith("beginx")).toBe(true);
      expect(content.endsWith("xend\n[exit code 0]")).toBe(true);
      expect(content).toMatch(/\[… 52363272 bytes left out …\]/);
    }));

  test("the time limit ends the command, its children and even what ignores SIGTERM (105)", () =>
    withWorkspace(async (workspace) => {
      const result = await run(
        workspace,
        "trap '' TERM; echo $$ >> pids; (trap '' TERM; sh -c 'echo $$ >> pids; sleep 600') & echo started; wait; sleep 600",
        { timeout_s: 0.5 },
      );
      expect(result).toEqual({ content: "started\n[stopped after 0.5 s (time limit)]", isError: true });
      for (const pid of await pidsIn(join(workspace, "pids"), 2)) await ended(pid);
    }));

  test("stop-during-sleep: a stop ends the whole group (C-12)", () =>
    withWorkspace(async (workspace) => {
      const stop = new AbortController();
      const running = run(workspace, "echo $$ >> pids; sh -c 'echo $$ >> pids; sleep 600' & sleep 600", {
        signal: stop.signal,
      });
      const pids = await pidsIn(join(workspace, "pids"), 2);
      stop.abort(new Error("stopped"));
      expect(await running).toEqual({ content: "[stopped]", isError: true });
      for (const pid of pids) await ended(pid);
    }));

  test("what a finished command left in the background ends with it", () =>
    withWorkspace(async (workspace) => {
      const result = await run(
        workspace,
        "sh -c 'echo $$ >> pids; exec sleep 600' & while ! [ -s pids ]; do :; done",
      );
      expect(result).toMatchObject({ content: "[exit code 0]" });
      const [pid] = await pidsIn(join(workspace, "pids"), 1);
      await ended(pid ?? 0);
    }));

  test("a grandchild that left the group and holds the output open does not hold up the result", () =>
    withWorkspace(async (workspace) => {
      const result = await run(
        workspace,
        "setsid sh -c 'echo $$ >> pids; exec sleep 600' & while ! [ -s pids ]; do :; done; echo done",
      );
      expect(result).toEqual({ content: "done\n[exit code 0]", isError: false });
      const [pid] = await pidsIn(join(workspace, "pids"), 1);
      process.kill(pid ?? 0, "SIGKILL");
    }));

  test("nothing is left running where nobody would look after it", () =>
    withWorkspace(async (workspace) => {
      const result = await callTool(
        [...tools, createProcessTool()],
        "run_command",
        { command: "echo $$ >> pids; sleep 600", background: true },
        { workspace },
      );
      expect(result).toEqual({ content: "Nothing can be left running here.", isError: true });
      await expect(readFile(join(workspace, "pids"))).rejects.toThrow("ENOENT");
    }));

  test("orphan: the group dies with a worker that was killed by SIGKILL", () =>
    withWorkspace(async (workspace) => {
      const tool = join(process.cwd(), "workers/tools/terminal/run-command.ts");
      const script = `
        import { createTerminalTool } from ${JSON.stringify(tool)};
        const command = "trap '' TERM HUP; echo $$ >> pids; sh -c 'echo $$ >> pids; sleep 600' & sleep 600";
        const signal = new AbortController().signal;
        const childEnv = { PATH: process.env.PATH };
        await createTerminalTool().prepare({ command }).run({ workspace: ${JSON.stringify(workspace)}, childEnv, signal });
      `;
      const worker = spawn(process.execPath, ["--input-type=module", "-e", script], { stdio: "inherit" });
      const pids = await pidsIn(join(workspace, "pids"), 2);
      expect(pids.every(isAlive)).toBe(true);
      worker.kill("SIGKILL");
      await once(worker, "exit");
      for (const pid of pids) await ended(pid);
    }));

  test("a workspace under a link is entered as it is", () =>
    withWorkspace(async (workspace, outside) => {
      await mkdir(join(workspace, "real"));
      await symlink(join(workspace, "real"), join(outside, "alias"));
      const { content } = await run(join(outside, "alias"), "pwd -P");
      expect(content).toBe(`${await realpath(join(workspace, "real"))}\n[exit code 0]`);
    }));
});
