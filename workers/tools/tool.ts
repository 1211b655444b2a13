import { z } from "zod";
import type { SessionProcesses } from "./process/port.ts";

/** Where and as what a tool runs. Nothing is inherited from the worker (security-contract 12). */
export interface ToolContext {
  /** Absolute folder that file tools are confined to and commands start in. */
  readonly workspace: string;
  /** The whole environment of child processes. */
  readonly childEnv: Readonly<Record<string, string>>;
  /** Aborts when the run is stopped; the tool then ends what it started and settles soon, in any way. */
  readonly signal: AbortSignal;
  /** What the run's session has running in the background; absent: nothing may be left running. */
  readonly processes?: SessionProcesses | undefined;
}

/** What the model reads. Failures that the model can act on are results, not exceptions. */
export interface ToolResult {
  readonly content: string;
  readonly isError: boolean;
}

/** A tool as an engine sees it: its arguments come from a model, so they are unknown until `prepare` took them. */
export interface Tool {
  readonly name: string;
  readonly description: string;
  /** JSON schema of the arguments. */
  readonly inputSchema: Readonly<Record<string, unknown>>;
  /** True: running it twice is the same as running it once, so a call in doubt is simply run again. */
  readonly idempotent: boolean;
  /** Checks the arguments; nothing runs before `run` is called. */
  prepare(args: unknown): PreparedCall | RefusedCall;
}

export interface PreparedCall {
  readonly ok: true;
  run(context: ToolContext): Promise<ToolResult>;
}

export interface RefusedCall {
  readonly ok: false;
  /** Says what is wrong with the arguments, for the model. */
  readonly problem: string;
}

/** Builds a tool from a zod schema and a function over its output. */
export const defineTool = <Schema extends z.ZodType>(definition: {
  readonly name: string;
  readonly description: string;
  readonly parameters: Schema;
  readonly idempotent: boolean;
  readonly run: (args: z.output<Schema>, context: ToolContext) => Promise<ToolResult>;
}): Tool => {
  const { $schema: _dialect, ...inputSchema } = z.toJSONSchema(definition.parameters, { io: "input" });
  return {
    name: definition.name,
    description: definition.description,
    inputSchema,
    idempotent: definition.idempotent,
    prepare(args) {
      const parsed = definition.parameters.safeParse(args);
      if (!parsed.success) return { ok: false, problem: z.prettifyError(parsed.error) };
      return { ok: true, run: (context) => definition.run(parsed.data, context) };
    },
  };
};

export const succeeded = (content: string): ToolResult => ({ content, isError: false });
export const failed = (content: string): ToolResult => ({ content, isError: true });
