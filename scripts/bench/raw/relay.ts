/**
 * The raw limits as a process: the same model and the same wire without queue, journal, fence, redaction or database.
 *
 *   GET  /direct/<key>?input=…&followers=N   the model's text as SSE, started when N followers of the key are there
 *   POST /write/<key>?input=…                 the model's text into a Redis stream, one XADD per delta
 *   GET  /stream/<key>                        a Redis stream as SSE, live, through one shared XREAD
 *   GET  /replay/<key>?after=…                a Redis stream as SSE, up to its end
 *   GET  /idle                                an SSE stream with a heartbeat and nothing else
 */
import { createServer, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { connectRedis } from "../../../common/redis/connect.ts";
import { readDeltas } from "./model-deltas.ts";
import { createRedisLog } from "./redis-log.ts";

const HEARTBEAT_MS = 5_000;
const modelUrl = process.env.MODEL_URL ?? "";
const redisUrl = process.env.REDIS_URL ?? "";
const log =
  redisUrl === ""
    ? null
    : createRedisLog(connectRedis(redisUrl, "command"), connectRedis(redisUrl, "blocking"));
const direct = new Map<string, ServerResponse[]>();

const open = (response: ServerResponse): void => {
  response.writeHead(200, { "content-type": "text/event-stream", "cache-control": "no-cache" });
  response.write("retry: 2000\n\n");
};

const relayDirect = async (
  key: string,
  input: string,
  followers: readonly ServerResponse[],
): Promise<void> => {
  let number = 0;
  await readDeltas(modelUrl, input, (deltas) => {
    let frames = "";
    for (const text of deltas)
      frames += `id: ${key}:${++number}\nevent: token\ndata: ${JSON.stringify({ text })}\n\n`;
    for (const follower of followers) follower.write(frames);
  });
  for (const follower of followers) follower.end();
};

const server = createServer((incoming, response) => {
  const url = new URL(incoming.url ?? "/", "http://relay");
  const [, kind = "", key = ""] = url.pathname.split("/");
  const input = url.searchParams.get("input") ?? "";
  if (kind === "write") {
    response.end("{}");
    void readDeltas(modelUrl, input, (deltas) => log?.append(key, deltas)).then(() => log?.end(key));
    return;
  }
  open(response);
  if (kind === "direct") {
    const followers = direct.get(key) ?? [];
    followers.push(response);
    direct.set(key, followers);
    if (followers.length < Number(url.searchParams.get("followers") ?? 1)) return;
    direct.delete(key);
    void relayDirect(key, input, followers);
  } else if (kind === "stream") {
    log?.follow(key, (frames, ended) => {
      response.write(frames);
      if (ended) response.end();
    });
  } else if (kind === "replay") {
    void replay(key, url.searchParams.get("after") ?? "0-0", response);
  } else {
    const timer = setInterval(() => response.write(":\n\n"), HEARTBEAT_MS);
    response.on("close", () => clearInterval(timer));
  }
});

const replay = async (key: string, after: string, response: ServerResponse): Promise<void> => {
  for await (const frames of log?.pages(key, after) ?? []) {
    if (!response.write(frames)) await new Promise((resolve) => response.once("drain", resolve));
  }
  response.end();
};

server.listen({ port: 0, host: "127.0.0.1", backlog: 4096 }, () => {
  process.send?.({ type: "ready", url: `http://127.0.0.1:${(server.address() as AddressInfo).port}` });
});
process.on("SIGTERM", () => process.exit(0));
