import { spawn } from "node:child_process";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { fileURLToPath } from "node:url";

const ROOT = fileURLToPath(new URL("../../../", import.meta.url));

/**
 * Runs a fixture in a plain Node process with exactly this environment and returns the JSON that it prints. Jest gives each
 * test a copy of `process`; what is proved there would say nothing about the worker.
 */
export const runFixture = async <T>(
  name: string,
  env: Readonly<Record<string, string>>,
  input: unknown = null,
): Promise<T> => {
  const file = join(ROOT, "test/workers/environment/fixtures", `${name}.ts`);
  const child = spawn(join(ROOT, "node_modules/.bin/node"), ["--disable-warning=ExperimentalWarning", file], {
    env,
    stdio: ["pipe", "pipe", "pipe"],
  });
  child.stdin.end(JSON.stringify(input));
  const [said, failed] = await Promise.all([text(child.stdout), text(child.stderr)]);
  if (failed !== "") throw new Error(`${name}: ${failed}`);
  return JSON.parse(said) as T;
};
