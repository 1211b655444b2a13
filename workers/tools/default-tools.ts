import { createFileTools, type FileToolsOptions } from "./files/file-tools.ts";
import { createTerminalTool } from "./terminal/run-command.ts";
import type { Tool } from "./tool.ts";

/** The tools every run has: files of its workspace and a shell in it. */
export const createDefaultTools = (options: FileToolsOptions = {}): readonly Tool[] => [
  ...createFileTools(options),
  createTerminalTool(),
];
