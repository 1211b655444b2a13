import { mkdir, mkdtemp, realpath, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Tool, ToolContext, ToolResult } from "../../../workers/tools/tool.ts";

/** Runs `work` with a fresh folder that holds a workspace, and removes it afterwards. */
export const withWorkspace = async <T>(
  work: (workspace: string, outside: string) => Promise<T>,
): Promise<T> => {
  const outside = await realpath(await mkdtemp(join(tmpdir(), "talaria-tools-")));
  const workspace = join(outside, "workspace");
  await mkdir(workspace);
  try {
    return await work(workspace, outside);
  } finally {
    await rm(outside, { recursive: true, force: true });
  }
};

export const callTool = async (
  tools: readonly Tool[],
  name: string,
  args: unknown,
  context: Partial<ToolContext> & Pick<ToolContext, "workspace">,
): Promise<ToolResult> => {
  const tool = tools.find((candidate) => candidate.name === name);
  const prepared = tool?.prepare(args);
  if (prepared?.ok !== true) throw new Error(`${name} does not take these arguments: ${prepared?.problem}`);
  return prepared.run({
    childEnv: { PATH: process.env.PATH ?? "/usr/bin:/bin" },
    signal: new AbortController().signal,
    ...context,
  });
};
