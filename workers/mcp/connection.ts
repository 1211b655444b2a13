import { stat } from "node:fs/promises";
import {
  Client,
  type Tool as ListedTool,
  ProtocolError,
  SdkError,
  SdkErrorCode,
  type Transport,
} from "@modelcontextprotocol/client";
import { beforeAbort } from "../../common/base/bounded-wait.ts";
import type { McpServer } from "../../common/profiles/mcp-servers.ts";
import { failed, type ToolResult } from "../tools/tool.ts";
import { createHttpTransport } from "./http-transport.ts";
import { late, McpUnavailable, reasonOf } from "./reasons.ts";
import { boundedText, resultText } from "./results.ts";
import { createStdioTransport, type ProcessTransport } from "./stdio-transport.ts";

/** Everything a server is started from: two that differ in anything are two servers (P-22). */
export interface ServerStart {
  /** Templates expanded. */
  readonly server: McpServer;
  /** Absolute folder of a process. */
  readonly cwd: string;
  /** The whole environment of a process. */
  readonly env: Readonly<Record<string, string>>;
}

/** One server that is running and knows us. */
export interface McpConnection {
  /** False once it ended or broke: it is not offered again. */
  readonly usable: boolean;
  /** Resolves when it has ended, by itself or by `close`. */
  readonly closed: Promise<void>;
  /** What it offers, asked again only when it said that this changed. Rejects with `McpUnavailable`. */
  tools(): Promise<readonly ListedTool[]>;
  /** Never rejects but with the signal's reason: whatever goes wrong is a result that the model reads. */
  call(name: string, args: Readonly<Record<string, unknown>>, signal: AbortSignal): Promise<ToolResult>;
  /** Ends it, a process with everything that it started, within two seconds. */
  close(): Promise<void>;
}

/** A list of tools that has more pages than this does not end. */
const MAX_PAGES = 200;
const MAX_LISTED = 2000;

/** What one answer did wrong, and not the connection. */
const SERVER_STAYS: ReadonlySet<string> = new Set([
  SdkErrorCode.RequestTimeout,
  SdkErrorCode.InvalidResult,
  SdkErrorCode.UnsupportedResultType,
]);
const UNSURE = "It may or may not have taken effect.";

/** Starts or reaches a server and shakes hands, within its `connectTimeoutMs`. Rejects with `McpUnavailable`. */
export const connectServer = async (start: ServerStart, signal: AbortSignal): Promise<McpConnection> => {
  const { server } = start;
  const transport = await transportOf(start);
  const ended = () => ("ended" in transport ? transport.ended : null);
  // Without capabilities: a server can ask us for nothing, neither files nor model calls.
  const client = new Client({ name: "talaria", version: "1" }, { capabilities: {} });
  let over = false;
  let usable = true;
  const closed = new Promise<void>((resolve) => {
    client.onclose = () => {
      over = true;
      usable = false;
      resolve();
    };
  });
  let listing: Promise<readonly ListedTool[]> | null = null;
  client.setNotificationHandler("notifications/tools/list_changed", () => {
    listing = null;
  });

  const connection: McpConnection = {
    get usable() {
      return usable;
    },
    closed,
    tools: () => {
      listing ??= listTools(client, server.connectTimeoutMs).catch((error: unknown) => {
        listing = null;
        throw new McpUnavailable(reasonOf(error, ended(), server.connectTimeoutMs), { cause: error });
      });
      return listing;
    },
    call: async (name, args, callSignal) => {
      if (over) return failed(`The MCP server "${server.name}" has ended; its tools cannot be used.`);
      try {
        const params = { name, arguments: { ...args } };
        const options = { signal: callSignal, timeout: server.timeoutMs };
        return resultText(await client.request({ method: "tools/call", params }, options));
      } catch (error) {
        callSignal.throwIfAborted();
        if (error instanceof ProtocolError) return failed(boundedText(`The tool failed: ${error.message}`));
        // One that is slow or odd can be asked again; whatever else happened, the next run starts anew.
        if (!(error instanceof SdkError && SERVER_STAYS.has(error.code))) usable = false;
        const reason = reasonOf(error, ended(), server.timeoutMs);
        return failed(`The MCP server "${server.name}" failed: ${reason}. ${UNSURE}`);
      }
    },
    close: () => client.close().catch(() => undefined),
  };

  const deadline = AbortSignal.any([signal, AbortSignal.timeout(server.connectTimeoutMs)]);
  try {
    await beforeAbort(
      client.connect(transport, { timeout: server.connectTimeoutMs, signal: deadline }),
      deadline,
    );
    await beforeAbort(connection.tools(), deadline);
    return connection;
  } catch (error) {
    // It has done nothing for anybody, so it is not asked to leave.
    if ("kill" in transport) transport.kill();
    await transport.close();
    if (signal.aborted) throw new McpUnavailable("this worker is stopping", { cause: error });
    const reason = deadline.aborted
      ? late(server.connectTimeoutMs)
      : reasonOf(error, ended(), server.connectTimeoutMs);
    throw new McpUnavailable(reason, { cause: error });
  }
};

const transportOf = async ({ server, cwd, env }: ServerStart): Promise<ProcessTransport | Transport> => {
  if (server.kind === "http") return createHttpTransport(addressOf(server.url), headersOf(server.headers));
  const folder = await stat(cwd).catch(() => null);
  if (folder?.isDirectory() !== true) throw new McpUnavailable("its cwd is no folder");
  return createStdioTransport({ argv: [server.command, ...server.args], cwd, env });
};

/** security-contract 11: http(s), and no keys in the address. */
const addressOf = (text: string): URL => {
  const url = URL.parse(text.trim());
  if (url === null || !/^https?:$/.test(url.protocol))
    throw new McpUnavailable("its url is no http or https address");
  if (url.username !== "" || url.password !== "")
    throw new McpUnavailable("its url has a user or a password in it; name the key in headers");
  return url;
};

/** `fetch` would quote a value that it does not take. */
const headersOf = (headers: Readonly<Record<string, string>>): Readonly<Record<string, string>> => {
  for (const [name, value] of Object.entries(headers))
    if (!/^[\t\x20-\x7e\x80-\xff]*$/.test(value))
      throw new McpUnavailable(`its header ${name} has a value that no header can have`);
  return headers;
};

/** All pages together within `timeoutMs`. */
const listTools = async (client: Client, timeoutMs: number): Promise<readonly ListedTool[]> => {
  if (client.getServerCapabilities()?.tools === undefined) return [];
  const options = { signal: AbortSignal.timeout(timeoutMs), timeout: timeoutMs };
  const tools: ListedTool[] = [];
  let cursor: string | undefined;
  for (let page = 0; page < MAX_PAGES && tools.length < MAX_LISTED; page++) {
    const params = cursor === undefined ? {} : { cursor };
    const listed = await client.request({ method: "tools/list", params }, options);
    tools.push(...listed.tools);
    cursor = listed.nextCursor;
    if (cursor === undefined || cursor === "") return tools;
  }
  throw new McpUnavailable("its list of tools does not end");
};
