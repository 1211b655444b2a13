import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { MAX_SUBJECTS, type UpdatesAnswer, type UpdateTarget } from "../contracts/update.ts";
import { labelOf } from "../titles/line.ts";

/** What is newer than what runs. */
export interface UpdateSource {
  /** From what was fetched before: the network is not asked. Never rejects; nothing known is an empty list. */
  known(): Promise<UpdatesAnswer>;
  /** Asks the upstream first, because a person wants to know. Rejects when that fails or takes too long. */
  check(): Promise<UpdatesAnswer>;
}

export interface GitSourceOptions {
  /** A git clone with an upstream; null: nothing is looked for. */
  readonly dir: string | null;
  readonly name: string;
}

const READ_MS = 5_000;
const FETCH_MS = 20_000;
const SUBJECT_CHARS = 200;

const run = promisify(execFile);

/** Compares a clone with the branch that it follows. No clone, no upstream or no `git`: there are no updates. */
export const createGitSource = ({ dir, name }: GitSourceOptions): UpdateSource => {
  const git = async (timeout: number, ...args: readonly string[]): Promise<string> => {
    // A server has nobody to ask for a password, and looking at a clone must not write into it.
    const command = ["GIT_TERMINAL_PROMPT=0", "GIT_OPTIONAL_LOCKS=0", "git", "-C", dir ?? "", ...args];
    const { stdout } = await run("env", command, {
      timeout,
      killSignal: "SIGKILL",
      maxBuffer: 4 * 1024 * 1024,
    });
    return stdout.trim();
  };
  const read = (...args: readonly string[]): Promise<string> => git(READ_MS, ...args);

  const known = async (): Promise<UpdatesAnswer> => {
    if (dir === null) return { checking: false, targets: [] };
    try {
      const [current, latest] = await Promise.all([
        read("rev-parse", "HEAD"),
        read("rev-parse", "@{upstream}"),
      ]);
      const range = `${current}..${latest}`;
      const behind = Number(await read("rev-list", "--count", range));
      if (behind === 0) return { checking: true, targets: [] };
      const [log, remote] = await Promise.all([
        read("log", "--format=%s", `--max-count=${MAX_SUBJECTS + 1}`, range),
        read("remote", "get-url", "origin").catch(() => ""),
      ]);
      const subjects = log.split("\n").map((line) => labelOf(line, SUBJECT_CHARS));
      const target: UpdateTarget = {
        ...{ name, behind, current, latest },
        compare_url: compareUrl(remote, current, latest),
        subjects: subjects.filter((subject) => subject !== "").slice(0, MAX_SUBJECTS),
        more: subjects.length > MAX_SUBJECTS,
      };
      return { checking: true, targets: [target] };
    } catch {
      return { checking: false, targets: [] };
    }
  };

  return {
    known,
    async check() {
      if (dir !== null) await git(FETCH_MS, "fetch", "--quiet", "--no-tags", "--no-recurse-submodules");
      return known();
    },
  };
};

/** Of the hosts whose address of a comparison is known; never with a name or password in it. */
const compareUrl = (remote: string, current: string, latest: string): string | null => {
  const found =
    /^(?:https:\/\/(?:[^@/]*@)?|git@|ssh:\/\/git@)(github\.com|gitlab\.com)[/:]([\w.-]+\/[\w.-]+?)(?:\.git)?\/?$/.exec(
      remote,
    );
  if (found === null) return null;
  const [, host, path] = found;
  return `https://${host}/${path}${host === "gitlab.com" ? "/-" : ""}/compare/${current}...${latest}`;
};
