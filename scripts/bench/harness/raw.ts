import type { BenchContext } from "./bench.ts";
import type { BenchProcess } from "./processes.ts";
import type { BenchRedis } from "./redis-server.ts";
import type { ModelServer } from "./stack.ts";

/** A process of `raw/relay.ts`. */
export interface Relay {
  readonly url: string;
  readonly process: BenchProcess;
}

export const startRelay = async (
  { processes, dir }: BenchContext,
  name: string,
  {
    model,
    redis,
    flags = [],
  }: { readonly model?: ModelServer; readonly redis?: BenchRedis; readonly flags?: readonly string[] },
): Promise<Relay> => {
  const env = { MODEL_URL: model?.url ?? "", REDIS_URL: redis?.url ?? "" };
  const process = await processes.startNode("scripts/bench/raw/relay.ts", {
    name,
    dir,
    env,
    nodeFlags: flags,
  });
  return { url: String(process.ready.url), process };
};
