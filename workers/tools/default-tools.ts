import { createFileTools, type FileToolsOptions } from "./files/file-tools.ts";
import { createProcessTool } from "./process/process-tool.ts";
import { createTerminalTool } from "./terminal/run-command.ts";
import type { Tool } from "./tool.ts";

/** The tools every run has: files of its workspace, a shell in it, and what that left running. */
export const createDefaultTools = (options: FileToolsOptions = {}): readonly Tool[] => [
  ...createFileTools(options),
  createTerminalTool(),
  createProcessTool(),
];
