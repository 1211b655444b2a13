import { stat } from "node:fs/promises";
import { z } from "zod";
import { messageOf } from "../../../common/base/errors.ts";
import { defineTool, failed, type Tool, type ToolContext, type ToolResult } from "../tool.ts";
import { type GroupEnd, startGroup } from "./child-group.ts";
import { createOutputBuffer } from "./output.ts";

const DEFAULT_TIMEOUT_S = 120;
const MAX_TIMEOUT_S = 600;
const MAX_OUTPUT_BYTES = 64 * 1024;
const STOP_GRACE_MS = 3000;

/**
 * run_command: a shell command in the workspace, in a process group of its own that never outlives the call, the run's
 * stop or the worker. Its environment is the run's `childEnv` and nothing else.
 */
export const createTerminalTool = (): Tool =>
  defineTool({
    name: "run_command",
    description:
      "Runs a shell command in the workspace and returns its output and exit code. There is no terminal and no input. " +
      "Everything the command started ends with it.",
    parameters: z.object({
      command: z.string().min(1).max(100_000),
      timeout_s: z.number().positive().max(MAX_TIMEOUT_S).default(DEFAULT_TIMEOUT_S).describe("Seconds"),
    }),
    // A command may have done anything when its worker died.
    idempotent: false,
    run: ({ command, timeout_s }, context) => runCommand(command, timeout_s, context),
  });

const runCommand = async (
  command: string,
  timeoutS: number,
  { workspace, childEnv, signal }: ToolContext,
): Promise<ToolResult> => {
  if (command.includes("\0")) return failed("The command has a zero byte in it.");
  const folder = await stat(workspace).catch(() => null);
  if (folder?.isDirectory() !== true) return failed("The workspace folder does not exist.");
  signal.throwIfAborted();

  const output = createOutputBuffer(MAX_OUTPUT_BYTES);
  const group = startGroup({ command, cwd: workspace, env: childEnv, onOutput: output.push });
  let timedOut = false;
  const timer = setTimeout(() => {
    timedOut = true;
    group.stop(STOP_GRACE_MS);
  }, timeoutS * 1000);
  const onAbort = (): void => group.stop(STOP_GRACE_MS);
  signal.addEventListener("abort", onAbort, { once: true });
  try {
    const end = await group.ended;
    const how = timedOut ? `stopped after ${timeoutS} s (time limit)` : ending(end, signal.aborted);
    const text = output.text();
    const gap = text === "" || text.endsWith("\n") ? "" : "\n";
    return { content: `${text}${gap}[${how}]`, isError: timedOut || end.exitCode !== 0 };
  } catch (error) {
    return failed(`The command could not be started: ${messageOf(error)}`);
  } finally {
    clearTimeout(timer);
    signal.removeEventListener("abort", onAbort);
  }
};

const ending = ({ exitCode, signal }: GroupEnd, stopped: boolean): string => {
  if (stopped) return "stopped";
  return signal === null ? `exit code ${exitCode}` : `ended by ${signal}`;
};
