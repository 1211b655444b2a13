import { stat } from "node:fs/promises";
import { z } from "zod";
import { messageOf } from "../../../common/base/errors.ts";
import type { BackgroundCommand } from "../process/port.ts";
import { defineTool, failed, succeeded, type Tool, type ToolContext, type ToolResult } from "../tool.ts";
import { type GroupEnd, startGroup } from "./child-group.ts";
import { createOutputBuffer } from "./output.ts";

const DEFAULT_TIMEOUT_S = 120;
const MAX_TIMEOUT_S = 600;
const DEFAULT_LIFE_S = 3600;
const MAX_LIFE_S = 86_400;
const MAX_OUTPUT_BYTES = 64 * 1024;
const STOP_GRACE_MS = 3000;

/**
 * run_command: a shell command in the workspace, in a process group of its own that never outlives the call, the run's
 * stop or the worker. Its environment is the run's `childEnv` and nothing else. In the background it outlives call and run, not
 * the worker (`process/port.ts`).
 */
export const createTerminalTool = (): Tool =>
  defineTool({
    name: "run_command",
    description:
      "Runs a shell command in the workspace and returns its output and exit code. There is no terminal and no input. " +
      "Everything the command started ends with it. With `background` the call returns at once and the command goes on beyond " +
      "this answer; look at it with the tool `process`. Its end is told to you in a turn of its own, unless `notify_on_complete` is false.",
    parameters: z.object({
      command: z.string().min(1).max(100_000),
      timeout_s: z.number().positive().max(MAX_TIMEOUT_S).default(DEFAULT_TIMEOUT_S).describe("Seconds"),
      background: z.boolean().default(false).describe("Leave it running"),
      notify_on_complete: z
        .boolean()
        .default(true)
        .describe("Of a background command: begin a turn when it ends"),
      max_life_s: z
        .number()
        .positive()
        .max(MAX_LIFE_S)
        .default(DEFAULT_LIFE_S)
        .describe("Of a background command: seconds until it is ended"),
    }),
    // A command may have done anything when its worker died.
    idempotent: false,
    run: ({ command, timeout_s, background, notify_on_complete: notify, max_life_s: maxLifeS }, context) =>
      background
        ? leaveRunning({ command, notify, maxLifeS }, context)
        : runCommand(command, timeout_s, context),
  });

const leaveRunning = async (command: BackgroundCommand, context: ToolContext): Promise<ToolResult> => {
  const { processes, signal } = context;
  if (processes === undefined) return failed("Nothing can be left running here.");
  const refusal = await refusalOf(command.command, context);
  if (refusal !== null) return failed(refusal);
  signal.throwIfAborted();
  const started = await processes.start(command);
  if ("refused" in started) return failed(started.refused);
  const told = command.notify ? "You are told when it ends." : "You are not told when it ends.";
  return succeeded(
    `Started in the background as ${started.id}. It is ended after ${command.maxLifeS} s at the latest, or with its worker. ${told}`,
  );
};

/** Why the command cannot be run at all; null: it can. */
const refusalOf = async (command: string, { workspace }: ToolContext): Promise<string | null> => {
  if (command.includes("\0")) return "The command has a zero byte in it.";
  const folder = await stat(workspace).catch(() => null);
  return folder?.isDirectory() === true ? null : "The workspace folder does not exist.";
};

const runCommand = async (command: string, timeoutS: number, context: ToolContext): Promise<ToolResult> => {
  const { workspace, childEnv, signal } = context;
  const refusal = await refusalOf(command, context);
  if (refusal !== null) return failed(refusal);
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
