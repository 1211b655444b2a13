import type { Tool as ListedTool } from "@modelcontextprotocol/client";
import { isRecord } from "../../common/base/record.ts";
import type { McpServer } from "../../common/profiles/mcp-servers.ts";
import { cutText } from "../../common/profiles/texts.ts";
import type { Tool } from "../tools/tool.ts";
import type { McpConnection } from "./connection.ts";
import { toolName } from "./names.ts";

const MAX_TOOLS = 128;
const MAX_DESCRIPTION_BYTES = 4 * 1024;
const MAX_SCHEMA_BYTES = 32 * 1024;
const MAX_SCHEMAS_BYTES = 256 * 1024;

export interface ServerTools {
  readonly tools: readonly Tool[];
  /** How many of those that the configuration wants were too many or too large for a model. */
  readonly leftOut: number;
}

/**
 * The tools of one server as a model gets them: names of our own making, descriptions and schemas as they are, each bounded.
 * What the server says about its tools decides nothing but what its owner lets it: a call in doubt is repeated only with
 * `trust_hints`, because a wrong hint would do something twice (DESIGN 6.6).
 */
export const serverTools = (
  server: McpServer,
  label: string,
  listed: readonly ListedTool[],
  connection: Pick<McpConnection, "call">,
): ServerTools => {
  const tools = new Map<string, Tool>();
  let schemasBytes = 0;
  let leftOut = 0;
  for (const tool of listed) {
    if (!isWanted(server, tool.name)) continue;
    const name = toolName(label, tool.name);
    const { $schema: _dialect, ...inputSchema } = tool.inputSchema as Record<string, unknown>;
    const bytes = Buffer.byteLength(JSON.stringify(inputSchema));
    const tooLarge = bytes > MAX_SCHEMA_BYTES || schemasBytes + bytes > MAX_SCHEMAS_BYTES;
    if (tools.has(name) || tools.size >= MAX_TOOLS || tooLarge) {
      leftOut++;
      continue;
    }
    schemasBytes += bytes;
    tools.set(name, {
      name,
      description: cutText((tool.description ?? tool.title ?? "").trim(), MAX_DESCRIPTION_BYTES, "this text"),
      inputSchema,
      idempotent: server.trustHints && isRepeatable(tool),
      prepare: (args) =>
        isRecord(args)
          ? { ok: true, run: ({ signal }) => connection.call(tool.name, args, signal) }
          : { ok: false, problem: "The arguments are no object." },
    });
  }
  return { tools: [...tools.values()], leftOut };
};

const isWanted = ({ include, exclude }: McpServer, name: string): boolean =>
  include === null ? !exclude.includes(name) : include.includes(name);

const isRepeatable = ({ annotations }: ListedTool): boolean =>
  annotations?.readOnlyHint === true || annotations?.idempotentHint === true;
