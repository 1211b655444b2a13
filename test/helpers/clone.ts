import { execFile } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";

/** A git repository and a clone of it that follows it. */
export interface TestClone {
  readonly dir: string;
  /** Commits with these subjects go upstream; with `fetch` the clone knows of them. */
  publish(subjects: readonly string[], options?: { readonly fetch?: boolean }): Promise<void>;
  git(...args: readonly string[]): Promise<string>;
  close(): Promise<void>;
}

const run = promisify(execFile);
const AUTHOR = ["-c", "user.name=t", "-c", "user.email=t@example.org", "-c", "commit.gpgsign=false"];

export const makeClone = async (): Promise<TestClone> => {
  const root = await mkdtemp(join(tmpdir(), "talaria-clone-"));
  const [upstream, dir] = [join(root, "upstream"), join(root, "clone")];
  const at =
    (path: string) =>
    async (...args: readonly string[]): Promise<string> =>
      (await run("git", ["-C", path, ...AUTHOR, ...args])).stdout.trim();
  await run("git", ["init", "--quiet", "--initial-branch=main", upstream]);
  const commit = (subject: string): Promise<string> =>
    at(upstream)("commit", "--quiet", "--allow-empty", "-m", subject);
  await commit("the first one");
  await run("git", ["clone", "--quiet", upstream, dir]);
  return {
    dir,
    git: at(dir),
    async publish(subjects, { fetch = true } = {}) {
      for (const subject of subjects) await commit(subject);
      if (fetch) await at(dir)("fetch", "--quiet");
    },
    close: () => rm(root, { recursive: true, force: true }),
  };
};
