import type { BenchContext } from "./bench.ts";
import type { BenchProcess } from "./processes.ts";
import { startRelay } from "./raw.ts";
import { type BenchRedis, startBenchRedis } from "./redis-server.ts";
import { startModel, startStack } from "./stack.ts";

/** Something that brings the model's text to SSE clients: Talaria, or a raw limit. */
export interface System {
  readonly name: "Talaria" | "plain SSE relay" | "XADD/XREAD relay";
  readonly processes: Readonly<Record<string, BenchProcess>>;
  readonly redis: BenchRedis | null;
  /** Makes ready what belongs before the measurement (a session). */
  prepare(): Promise<string>;
  /** Starts one answer to `input` with that many followers; resolves with the address that each of them follows. */
  begin(prepared: string, input: string, followers: number): Promise<string>;
  end(): Promise<void>;
}

/** The systems, one after the other: each is started with a model server of its own and ended before the next. */
export const SYSTEMS: readonly ((context: BenchContext) => Promise<System>)[] = [
  async (context) => {
    const model = await startModel(context);
    const relay = await startRelay(context, "raw-relay", { model });
    let last = 0;
    return {
      name: "plain SSE relay",
      processes: { model: model.process, relay: relay.process },
      redis: null,
      prepare: async () => `k${++last}`,
      begin: async (key, input, followers) =>
        `${relay.url}/direct/${key}?followers=${followers}&input=${encodeURIComponent(input)}`,
      end: async () => {
        await relay.process.end();
        await model.process.end();
      },
    };
  },
  async (context) => {
    const model = await startModel(context);
    const redis = await startBenchRedis(context.processes, context.dir);
    const writer = await startRelay(context, "raw-writer", { model, redis });
    const reader = await startRelay(context, "raw-reader", { redis });
    let last = 0;
    return {
      name: "XADD/XREAD relay",
      processes: { model: model.process, writer: writer.process, reader: reader.process },
      redis,
      prepare: async () => `k${++last}`,
      begin: async (key, input) => {
        await fetch(`${writer.url}/write/${key}?input=${encodeURIComponent(input)}`, { method: "POST" });
        return `${reader.url}/stream/${key}`;
      },
      end: async () => {
        await writer.process.end();
        await reader.process.end();
        await redis.end();
        await model.process.end();
      },
    };
  },
  async (context) => {
    const model = await startModel(context);
    const stack = await startStack(context, { model });
    return {
      name: "Talaria",
      processes: {
        model: model.process,
        api: stack.api,
        ...(stack.worker === null ? {} : { worker: stack.worker }),
      },
      redis: stack.redis,
      prepare: () => stack.createSession(),
      begin: async (sessionId, input) => stack.eventsUrl(await stack.startRun(sessionId, input)),
      end: async () => {
        await stack.end();
        await model.process.end();
      },
    };
  },
];
