import { mkdtempSync } from "node:fs";
import { createServer } from "node:net";
import { join } from "node:path";
import { connectRedis } from "../../../common/redis/connect.ts";
import { findProgram } from "../../setup/programs.mjs";
import type { Processes } from "./processes.ts";

/** A Redis server of this benchmark alone, set up as `npm start` does it: append-only file, never evicts. */
export interface BenchRedis {
  readonly url: string;
  readonly version: string;
  counters(): Promise<RedisCounters>;
  end(): Promise<void>;
}

export interface RedisCounters {
  /** User and system time, in microseconds. */
  readonly cpuUs: number;
  /** Commands processed, those inside scripts not counted. */
  readonly commands: number;
  /** Calls by command. */
  readonly calls: Readonly<Record<string, number>>;
}

export const startBenchRedis = async (processes: Processes, dir: string): Promise<BenchRedis> => {
  const program = findProgram(["redis-server", "valkey-server"]);
  if (program === null) throw new Error("no Redis server was found; `npm start` installs one or says how");
  const data = mkdtempSync(join(dir, "redis-"));
  const port = await freePort();
  const server = await processes.startProgram(program, /ready to accept connections/i, {
    name: "redis",
    dir,
    args: [
      ...["--port", String(port), "--bind", "127.0.0.1", "--dir", data, "--save", ""],
      ...["--appendonly", "yes", "--appendfsync", "everysec", "--maxmemory-policy", "noeviction"],
    ],
  });
  const url = `redis://127.0.0.1:${port}`;
  const redis = connectRedis(url, "command");
  const info = async (section: string): Promise<string> => redis.info(section);
  return {
    url,
    version: fieldOf(await info("server"), "redis_version"),
    counters: async () => {
      const [cpu, stats, commands] = [await info("cpu"), await info("stats"), await info("commandstats")];
      const seconds = Number(fieldOf(cpu, "used_cpu_user")) + Number(fieldOf(cpu, "used_cpu_sys"));
      const calls: Record<string, number> = {};
      for (const [, name, count] of commands.matchAll(/^cmdstat_([\w|-]+):calls=(\d+)/gm))
        calls[name ?? ""] = Number(count);
      return { cpuUs: seconds * 1e6, commands: Number(fieldOf(stats, "total_commands_processed")), calls };
    },
    end: async () => {
      redis.disconnect();
      await server.end();
    },
  };
};

const fieldOf = (info: string, name: string): string =>
  new RegExp(`^${name}:(.*)$`, "m").exec(info)?.[1]?.trim() ?? "";

const freePort = (): Promise<number> =>
  new Promise((resolve, reject) => {
    const server = createServer();
    server.once("error", reject);
    server.listen(0, "127.0.0.1", () => {
      const address = server.address();
      const port = address !== null && typeof address === "object" ? address.port : 0;
      server.close(() => resolve(port));
    });
  });
