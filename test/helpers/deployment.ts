import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Message } from "../../common/contracts/message.ts";
import type { Run } from "../../common/contracts/run.ts";
import type { Session } from "../../common/contracts/session.ts";
import type { ModelServer } from "../../workers/engines/demo/model-server.ts";
import { startFakeModel } from "./fake-model.ts";
import { type Follower, followRun } from "./follower.ts";
import { endProcesses, startProcess, type TestProcess } from "./process.ts";
import { startRedis, type TestRedis } from "./redis.ts";
import { type Relay, startRelay } from "./relay.ts";

/** A whole Talaria: its own Redis (append-only file on), home, model server, api and worker processes. */
export interface Deployment {
  readonly home: string;
  readonly model: ModelServer;
  /** Between the workers and Redis. */
  readonly relay: Relay;
  redis: TestRedis;
  api: TestProcess;
  url(): string;
  startApi(): Promise<TestProcess>;
  startWorker(env?: Readonly<Record<string, string>>): Promise<TestProcess>;
  restartRedis(): Promise<void>;
  request<T>(
    method: string,
    path: string,
    body?: unknown,
    headers?: Readonly<Record<string, string>>,
  ): Promise<{ status: number; body: T }>;
  /** In the default profile, or in this one. */
  createSession(profile?: string): Promise<Session>;
  startRun(sessionId: string, input: string, more?: Readonly<Record<string, unknown>>): Promise<Run>;
  follow(runId: string): Follower;
  getRun(runId: string): Promise<Run>;
  messages(sessionId: string): Promise<Message[]>;
  close(): Promise<void>;
}

export const NO_TITLES = "auxiliary: {title_generation: {enabled: false}}\n";

/** `model:` of a profile that talks to this server. */
export const customModel = (url: string): string =>
  `model: {provider: custom, default: fake, base_url: "${url}"}\n`;

/** Makes a profile that talks to the deployment's model and has no titles. */
export const writeProfile = async (
  d: Pick<Deployment, "home" | "model">,
  name: string,
  more = "",
): Promise<void> => {
  const folder = join(d.home, "profiles", name);
  await mkdir(folder, { recursive: true });
  await writeFile(join(folder, "config.yaml"), customModel(d.model.url) + NO_TITLES + more);
};

export const startDeployment = async (env: Readonly<Record<string, string>> = {}): Promise<Deployment> => {
  const home = await mkdtemp(join(tmpdir(), "talaria-home-"));
  const model = await startFakeModel();
  await writeFile(
    join(home, "config.yaml"),
    `model:\n  provider: custom\n  default: fake\n  base_url: ${model.url}\n${env.TALARIA_QUEUES === undefined ? NO_TITLES : ""}`,
  );
  const redis = await startRedis({ appendonly: true });
  const relay = await startRelay(redis.port);
  // Model calls are counted: background work is done where a test is about it.
  const base = { TALARIA_HOME: home, LOG_LEVEL: "info", TALARIA_QUEUES: "runs", ...env };
  const followers: Follower[] = [];
  let port = "0";

  const deployment: Deployment = {
    home,
    model,
    relay,
    redis,
    api: undefined as unknown as TestProcess,
    url: () => String(deployment.api.ready.url),
    startApi: async () => {
      deployment.api = await startProcess("api/main.ts", {
        ...base,
        PORT: port,
        REDIS_URL: deployment.redis.url,
      });
      port = new URL(deployment.url()).port;
      return deployment.api;
    },
    startWorker: (more = {}) =>
      startProcess("workers/main.ts", { ...base, REDIS_URL: `redis://127.0.0.1:${relay.port}`, ...more }),
    restartRedis: async () => {
      deployment.redis = await startRedis({ appendonly: true, dir: redis.dir, port: redis.port });
    },
    request: async (method, path, body, headers = {}) => {
      const response = await fetch(`${deployment.url()}${path}`, {
        method,
        headers: { ...(body === undefined ? {} : { "content-type": "application/json" }), ...headers },
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      });
      const text = await response.text();
      return { status: response.status, body: (text === "" ? null : JSON.parse(text)) as never };
    },
    createSession: async (profile) =>
      (await deployment.request<{ session: Session }>("POST", "/api/sessions", { profile })).body.session,
    startRun: async (sessionId, input, more = {}) => {
      const answer = await deployment.request<{ run: Run }>("POST", `/api/sessions/${sessionId}/runs`, {
        input,
        ...more,
      });
      if (answer.status !== 202)
        throw new Error(`start answered ${answer.status}: ${JSON.stringify(answer.body)}`);
      return answer.body.run;
    },
    follow: (runId) => {
      const follower = followRun(() => deployment.url(), runId);
      followers.push(follower);
      return follower;
    },
    getRun: async (runId) => (await deployment.request<{ run: Run }>("GET", `/api/runs/${runId}`)).body.run,
    messages: async (sessionId) =>
      (await deployment.request<{ data: Message[] }>("GET", `/api/sessions/${sessionId}/messages?limit=200`))
        .body.data,
    close: async () => {
      for (const follower of followers) follower.close();
      await endProcesses();
      await relay.close();
      await deployment.redis.kill();
      await model.close();
      await rm(home, { recursive: true, force: true });
    },
  };
  await deployment.startApi();
  return deployment;
};
