import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

const START_LIMIT_MS = 120_000;
const STOP_LIMIT_MS = 30_000;

/** The whole server as `npm start` runs it, on a home of its own; or the one that `BASE_URL` names, which is left alone. */
export const startServer = async (): Promise<Omit<OwnServer, "home"> & { readonly home: string | null }> => {
  const given = process.env.BASE_URL;
  if (given) return { url: given.replace(/\/$/, ""), home: null, stop: async () => undefined };
  return startOwnServer();
};

export interface OwnServer {
  readonly url: string;
  readonly home: string;
  stop(): Promise<void>;
}

/** One for a spec alone, with these settings besides. */
export const startOwnServer = async (settings: Readonly<Record<string, string>> = {}): Promise<OwnServer> => {
  const home = mkdtempSync(join(tmpdir(), "talaria-browser-"));
  const { REDIS_URL: _redis, TALARIA_PASSWORD: _password, TALARIA_TOKEN: _token, ...base } = process.env;
  const child = spawn(process.execPath, ["scripts/start.mjs"], {
    cwd: join(import.meta.dirname, "..", ".."),
    env: { ...base, TALARIA_HOME: home, HOST: "127.0.0.1", PORT: "0", TALARIA_DASHBOARD: "on", ...settings },
    stdio: ["ignore", "pipe", "pipe"],
  });
  const exited = once(child, "exit");
  let output = "";
  const url = await new Promise<string>((resolve, reject) => {
    const fail = (why: string): void => reject(new Error(`${why}\n${output}`));
    const timer = setTimeout(() => fail("The server did not start in time."), START_LIMIT_MS);
    const read = (chunk: Buffer): void => {
      output += chunk.toString();
      const found = /Talaria is running: (http\S+)/.exec(output)?.[1];
      if (found === undefined) return;
      clearTimeout(timer);
      resolve(found.replace(/\/$/, ""));
    };
    child.stdout.on("data", read);
    child.stderr.on("data", read);
    child.once("exit", (code) => {
      clearTimeout(timer);
      fail(`The server ended with code ${code}.`);
    });
  }).catch((error: unknown) => {
    child.kill("SIGKILL");
    throw error;
  });
  return {
    url,
    home,
    async stop() {
      child.kill("SIGTERM");
      const timer = setTimeout(() => child.kill("SIGKILL"), STOP_LIMIT_MS);
      await exited;
      clearTimeout(timer);
      rmSync(home, { recursive: true, force: true });
    },
  };
};
