import { mkdirSync, writeFileSync } from "node:fs";
import { Agent, request } from "node:http";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import type { BenchContext } from "./bench.ts";
import type { BenchProcess } from "./processes.ts";
import { type BenchRedis, startBenchRedis } from "./redis-server.ts";

/** The model server in a process of its own, as a provider is. */
export interface ModelServer {
  /** OpenAI base URL. */
  readonly url: string;
  readonly process: BenchProcess;
}

export const startModel = async ({ processes, dir }: BenchContext): Promise<ModelServer> => {
  const process = await processes.startNode("scripts/fake-model.ts", {
    name: "model",
    dir,
    args: ["--port", "0"],
    readyLine: /\{"ready":true.*\}/,
  });
  return { url: `http://127.0.0.1:${String(process.ready.port)}/v1`, process };
};

/** A whole Talaria with its default settings: Redis, one api and, when asked for, one worker process. */
export interface Stack {
  readonly url: string;
  readonly redis: BenchRedis;
  readonly api: BenchProcess;
  readonly worker: BenchProcess | null;
  /** The environment that its processes got. */
  readonly env: Readonly<Record<string, string>>;
  createSession(): Promise<string>;
  /** Starts a run and resolves with its id once it was accepted; comes back when it is told "later" (503), as clients do. */
  startRun(sessionId: string, input: string): Promise<string>;
  /** How often a start was answered 503. */
  readonly refusals: number;
  eventsUrl(runId: string): string;
  end(): Promise<void>;
}

export interface StackOptions {
  /** Base URL of the model server; without one there is no worker. */
  readonly model: ModelServer | null;
  readonly redis?: BenchRedis;
  readonly apiFlags?: readonly string[];
}

export const startStack = async (context: BenchContext, options: StackOptions): Promise<Stack> => {
  const { processes, dir } = context;
  const redis = options.redis ?? (await startBenchRedis(processes, dir));
  const env = stackEnv(dir, redis.url);
  writeHome(dir, options.model?.url ?? "http://127.0.0.1:9/v1");
  const api = await processes.startNode("api/main.ts", {
    name: "api",
    dir,
    env,
    nodeFlags: options.apiFlags ?? [],
  });
  const worker =
    options.model === null
      ? null
      : await processes.startNode("workers/main.ts", { name: "worker", dir, env });
  const url = String(api.ready.url);
  const agent = new Agent({ keepAlive: true, maxSockets: 64 });
  let refusals = 0;
  const post = <T>(path: string, body: unknown): Promise<T> => postJson<T>(`${url}${path}`, body, agent);
  return {
    url,
    redis,
    api,
    worker,
    env,
    createSession: async () => (await post<{ session: { id: string } }>("/api/sessions", {})).session.id,
    get refusals() {
      return refusals;
    },
    startRun: async (sessionId, input) => {
      for (;;) {
        try {
          return (await post<{ run: { id: string } }>(`/api/sessions/${sessionId}/runs`, { input })).run.id;
        } catch (error) {
          if (!(error instanceof Unavailable) || refusals >= MAX_REFUSALS) throw error;
          refusals++;
          await delay(REFUSED_WAIT_MS);
        }
      }
    },
    eventsUrl: (runId) => `${url}/api/runs/${runId}/events`,
    end: async () => {
      agent.destroy();
      await worker?.end();
      await api.end();
      await redis.end();
    },
  };
};

/** Environment of a process of the stack in `dir`. */
export const stackEnv = (dir: string, redisUrl: string): Readonly<Record<string, string>> => ({
  TALARIA_HOME: join(dir, "home"),
  REDIS_URL: redisUrl,
  PORT: "0",
});

class Unavailable extends Error {}

const MAX_REFUSALS = 500;
const REFUSED_WAIT_MS = 100;

const writeHome = (dir: string, modelUrl: string): void => {
  const home = join(dir, "home");
  mkdirSync(home, { recursive: true });
  writeFileSync(
    join(home, "config.yaml"),
    // A run is measured, not the title that follows the first one of a session.
    `model:\n  provider: custom\n  default: fake\n  base_url: ${modelUrl}\nauxiliary: {title_generation: {enabled: false}}\n`,
  );
};

const postJson = <T>(url: string, body: unknown, agent: Agent): Promise<T> =>
  new Promise((resolve, reject) => {
    const text = JSON.stringify(body);
    const headers = { "content-type": "application/json", "content-length": Buffer.byteLength(text) };
    const outgoing = request(url, { method: "POST", agent, headers }, (response) => {
      let answer = "";
      response.setEncoding("utf8");
      response.on("data", (chunk: string) => {
        answer += chunk;
      });
      response.on("end", () =>
        (response.statusCode ?? 500) < 300
          ? resolve(JSON.parse(answer) as T)
          : reject(
              new (response.statusCode === 503 ? Unavailable : Error)(
                `POST ${url} answered ${response.statusCode}: ${answer}`,
              ),
            ),
      );
    });
    outgoing.on("error", reject);
    outgoing.end(text);
  });
