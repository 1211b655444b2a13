import { execFileSync, spawnSync } from "node:child_process";
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  rmSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "@jest/globals";
import Database from "better-sqlite3";
import type { ImportSession, ImportTarget } from "../../common/exchange/hermes-webui/port.ts";
import { listProfiles } from "../../common/profiles/names.ts";
import { type StoreThread, startStoreThread } from "../../common/sqlite/client.ts";
import type { StateDbReadOps } from "../../common/state-db/read/port.ts";
import { openSessionsFolder } from "../../scripts/import/folder.ts";
import { type FileResult, resultLine, summarise, summaryLine } from "../../scripts/import/report.ts";
import { runImport } from "../../scripts/import/run.ts";
import { bytesOf, describeFile, make, mutate, pythonHolding } from "../common/state-db/read-files.ts";

let store: StoreThread<StateDbReadOps>;
let home: string;
let folder: string;
let target: ReturnType<typeof createMemoryTarget>;
const homes: string[] = [];

beforeAll(async () => {
  const module = new URL("../../common/state-db/read/module.ts", import.meta.url);
  store = await startStoreThread<StateDbReadOps>(module, "read", {});
});
afterAll(async () => {
  await store.close();
  for (const path of homes) rmSync(path, { recursive: true, force: true });
});
beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), "talaria-import-"));
  homes.push(home);
  folder = join(home, "webui", "sessions");
  mkdirSync(folder, { recursive: true });
  target = createMemoryTarget();
});

/** What talaria.db will do, in memory. */
const createMemoryTarget = () => {
  const kept = new Map<string, ImportSession & { isTouched?: boolean }>();
  const foreign = new Set<string>();
  const keyOf = (profile: string, storeId: string): string => `${profile} ${storeId}`;
  const port: ImportTarget = {
    find: async (profile, storeId) => {
      const found = kept.get(keyOf(profile, storeId));
      if (found !== undefined) return { digest: found.digest, isTouched: found.isTouched ?? false };
      return foreign.has(keyOf(profile, storeId)) ? { digest: null, isTouched: false } : null;
    },
    importSession: async (input) => {
      const key = keyOf(input.profile, input.storeId);
      const known = kept.get(key);
      if (known?.isTouched) return "conflict";
      kept.set(key, input);
      return known === undefined ? "imported" : "updated";
    },
  };
  return { ...port, kept, foreign, keyOf };
};

type Store = StoreThread<StateDbReadOps>["call"];

const run = async (
  options: { dryRun?: boolean; profile?: string; store?: Store } = {},
): Promise<FileResult[]> => {
  const results: FileResult[] = [];
  const deps = {
    folder: await openSessionsFolder(join(home, "webui")),
    home,
    profiles: await listProfiles(home),
    profile: options.profile ?? null,
    store: options.store ?? store.call,
    target,
    dryRun: options.dryRun ?? false,
  };
  for await (const result of runImport(deps)) results.push(result);
  return results;
};

const put = (id: string, messages: unknown, more: object = {}): void =>
  writeFileSync(join(folder, `${id}.json`), JSON.stringify({ session_id: id, messages, ...more }));
const told = (results: readonly FileResult[]): string[] =>
  results.map(({ file, result, reason }) => `${file} ${result}${reason === null ? "" : `: ${reason}`}`);
const HI = [
  { role: "user", content: "hi", timestamp: 1_700_000_000 },
  { role: "assistant", content: "hello", timestamp: 1_700_000_001 },
];

/** A store with the ids of its sessions, at a profile's place. */
const putStore = (path: string, ...options: string[]): readonly string[] => {
  const made = make(...options);
  execFileSync("mv", [made, path]);
  return describeFile(path).sessions.map(({ id }) => id);
};
const rowsOf = (path: string, id: string): { role: string }[] => {
  const db = new Database(path, { readonly: true });
  try {
    return db
      .prepare(
        "SELECT role, content, timestamp, tool_calls, tool_call_id FROM messages WHERE session_id = ? ORDER BY id",
      )
      .all(id) as never;
  } finally {
    db.close();
  }
};

describe("an import from a hermes-webui folder", () => {
  test("takes sessions, passes over other files, refuses what is broken, and says so for each", async () => {
    put("aaaaaaaaaaaa", HI, { title: "T", workspace: "/", profile: "gone", pinned: true });
    put("bbbbbbbbbbbb", []);
    writeFileSync(join(folder, "aaaaaaaaaaaa.json.bak"), "{");
    writeFileSync(join(folder, "_index.json"), "[]");
    writeFileSync(join(folder, "cccccccccccc.json"), '{"session_id":"cccccccccccc","mess');
    writeFileSync(join(folder, "dddddddddddd.json"), '{"session_id":"aaaaaaaaaaaa","messages":[]}');
    const results = await run();
    expect(told(results)).toEqual([
      "_index.json skipped: is no session: an index, a backup or a file of another program",
      "aaaaaaaaaaaa.json imported",
      "aaaaaaaaaaaa.json.bak skipped: is no session: an index, a backup or a file of another program",
      "bbbbbbbbbbbb.json skipped: has no messages",
      "cccccccccccc.json refused: is not valid JSON, perhaps cut off",
      "dddddddddddd.json refused: belongs to session aaaaaaaaaaaa, not to the one it is named after",
    ]);
    expect(summaryLine(summarise(results))).toBe("1 imported, 0 merged, 0 unchanged, 3 skipped, 2 refused");
    expect(results[1]?.notes).toEqual([
      'its profile "gone" does not exist here',
      "its workspace is not used: the workspace is a system folder",
    ]);
    expect(target.kept.get("default aaaaaaaaaaaa")).toMatchObject({
      title: "T",
      titleSource: "user",
      pinned: true,
      workspace: null,
      baseCursor: 0,
      rows: [{ content: "hi" }, { content: "hello" }],
    });
  });

  test("again changes nothing; a changed file is taken again, and a session that went on here is kept", async () => {
    put("aaaaaaaaaaaa", HI);
    expect(told(await run())).toEqual(["aaaaaaaaaaaa.json imported"]);
    const before = target.kept.get("default aaaaaaaaaaaa");
    expect(told(await run())).toEqual(["aaaaaaaaaaaa.json unchanged"]);
    expect(target.kept.get("default aaaaaaaaaaaa")).toBe(before);

    put("aaaaaaaaaaaa", [...HI, { role: "user", content: "more", timestamp: 1_700_000_100 }]);
    expect(told(await run())).toEqual([
      "aaaaaaaaaaaa.json imported: again: the file has changed since it was imported",
    ]);
    const after = target.kept.get("default aaaaaaaaaaaa");
    expect(after?.rows.slice(0, 2).map(({ id }) => id)).toEqual(before?.rows.map(({ id }) => id));

    target.kept.set("default aaaaaaaaaaaa", { ...(after as ImportSession), isTouched: true });
    expect(told(await run())).toEqual(["aaaaaaaaaaaa.json unchanged"]);
    put("aaaaaaaaaaaa", HI);
    expect(told(await run())).toEqual([
      "aaaaaaaaaaaa.json refused: was changed here since, and its file too: nothing was overwritten",
    ]);
    expect(target.kept.get("default aaaaaaaaaaaa")?.rows).toHaveLength(3);

    put("bbbbbbbbbbbb", HI);
    target.foreign.add("default bbbbbbbbbbbb");
    expect((await run())[1]?.result).toBe("refused");
  });

  test("a dry run says the same and changes nothing", async () => {
    put("aaaaaaaaaaaa", HI);
    put("bbbbbbbbbbbb", []);
    const dry = await run({ dryRun: true });
    expect(target.kept.size).toBe(0);
    expect(await run()).toEqual(dry);
    put("aaaaaaaaaaaa", HI.slice(0, 1));
    const dryAgain = await run({ dryRun: true });
    expect(target.kept.get("default aaaaaaaaaaaa")?.rows).toHaveLength(2);
    expect(await run()).toEqual(dryAgain);
  });

  test("file and store become one transcript; the store stays as it is, byte for byte", async () => {
    const path = join(home, "state.db");
    const [id = ""] = putStore(path, "--sessions", "2", "--messages", "1200", "--schema-version", "31");
    const first = rowsOf(path, id).slice(0, 10);
    put(id, [...first, { role: "assistant", content: "**Stopped.**", _error: true }]);
    const before = bytesOf(path);
    const [result] = await run();
    expect(bytesOf(path)).toBe(before);
    const { visible = 0, max_id = 0 } =
      describeFile(path).sessions.find((session) => session.id === id) ?? {};
    expect(result).toMatchObject({ result: "merged", session: id, profile: "default" });
    const kept = target.kept.get(`default ${id}`);
    expect(kept?.baseCursor).toBe(max_id);
    expect(kept?.rows).toHaveLength(visible + 1);
    expect(result?.counts).toMatchObject({ localOnly: 1 });
    expect(kept?.rows.filter(({ rowId }) => rowId !== null).map(({ rowId }) => rowId)).toEqual(
      [...new Set(kept?.rows.flatMap(({ rowId }) => (rowId === null ? [] : [rowId])))].sort((a, b) => a - b),
    );
    // What is appended later is above the cursor: the same file has nothing to add.
    mutate(path, "--append", id, "3");
    expect(told(await run())).toEqual([`${id}.json unchanged`]);
  });

  test("a row that arrives while the store is read is neither lost nor shown twice", async () => {
    const path = join(home, "state.db");
    const [id = ""] = putStore(path, "--sessions", "1", "--messages", "6");
    put(id, HI);
    let pages = 0;
    const racing = new Proxy(store.call, {
      get: (call, op: keyof Store) => {
        if (op !== "displayPage") return call[op];
        return async (...query: Parameters<Store["displayPage"]>) => {
          const page = await call.displayPage(...query);
          if (++pages === 1) mutate(path, "--append", id, "2");
          return page;
        };
      },
    });
    await run({ store: racing });
    const { visible = 0, max_id = 0 } = describeFile(path).sessions[0] ?? {};
    const kept = target.kept.get(`default ${id}`);
    expect([pages, kept?.baseCursor, kept?.rows.length]).toEqual([2, max_id, visible + 2]);

    put(id, HI.slice(1));
    const always = new Proxy(store.call, {
      get: (call, op: keyof Store) => {
        if (op !== "displayPage") return call[op];
        return async (...query: Parameters<Store["displayPage"]>) => {
          const page = await call.displayPage(...query);
          mutate(path, "--append", id, "1");
          return page;
        };
      },
    });
    expect((await run({ store: always }))[0]?.reason).toMatch(/is being written to/);
    expect(target.kept.get(`default ${id}`)).toBe(kept);
  });

  test("each session meets the store of its own profile", async () => {
    mkdirSync(join(home, "profiles", "work"), { recursive: true });
    const path = join(home, "profiles", "work", "state.db");
    const [id = ""] = putStore(path, "--sessions", "1", "--messages", "6");
    put(id, HI, { profile: "work" });
    put("aaaaaaaaaaaa", HI);
    put("bbbbbbbbbbbb", HI, { profile: "../../etc" });
    put("cccccccccccc", HI, { profile: "default" });
    const results = await run({ profile: "work" });
    const places = new Map(results.map(({ file, profile, result }) => [file, `${profile} ${result}`]));
    expect(places.get(`${id}.json`)).toBe("work merged");
    expect(places.get("aaaaaaaaaaaa.json")).toBe("work imported");
    expect(places.get("bbbbbbbbbbbb.json")).toBe("work imported");
    expect(places.get("cccccccccccc.json")).toBe("default imported");
  });

  test("one conversation in several files is one session, under its first segment's id", async () => {
    const path = join(home, "state.db");
    putStore(path, "--sessions", "0", "--lineage", "1", "--lineage-depth", "3", "--messages", "8");
    const chain = describeFile(path).sessions;
    const parents = new Set(chain.map(({ parent }) => parent));
    const root = chain.find(({ id, parent }) => parent === null && parents.has(id))?.id ?? "";
    const tip = chain.find(({ id, parent }) => parent !== null && !parents.has(id))?.id ?? "";
    expect(root).not.toBe(tip);
    put(root, [...HI, ...HI, ...HI], { pre_compression_snapshot: true });
    put(tip, HI);
    const results = await run();
    expect(told(results).sort()).toEqual(
      [`${tip}.json merged`, `${root}.json skipped: is a part of the conversation in ${tip}.json`].sort(),
    );
    expect([...target.kept.keys()]).toEqual([`default ${root}`]);
    expect(told(await run()).sort()[0]).toMatch(/skipped|unchanged/);
  });

  test("a store that cannot be read refuses its sessions instead of importing half of them", async () => {
    const path = join(home, "state.db");
    writeFileSync(path, "no database at all, but long enough for a header ".repeat(30));
    put("aaaaaaaaaaaa", HI);
    expect(told(await run())).toEqual(["aaaaaaaaaaaa.json refused: the profile's state.db is no state.db"]);
    rmSync(path);
    const [id = ""] = putStore(path, "--sessions", "1", "--messages", "4");
    put(id, HI);
    const holder = await pythonHolding(
      "import sqlite3,sys\nd=sqlite3.connect(sys.argv[1],isolation_level=None)\nd.execute('PRAGMA journal_mode=DELETE')\nd.execute('BEGIN EXCLUSIVE')\nprint('held',flush=True)\nsys.stdin.read()",
      path,
    );
    const results = await run();
    await holder.end();
    expect(results.map(({ result }) => result)).toEqual(["refused", "refused"]);
    expect((await run()).map(({ result }) => result).sort()).toEqual(["imported", "merged"]);
  });

  test("what leads out, is too large or is no file is refused and not read", async () => {
    const secret = join(home, "secret.json");
    writeFileSync(secret, JSON.stringify({ session_id: "aaaaaaaaaaaa", messages: HI }));
    symlinkSync(secret, join(folder, "aaaaaaaaaaaa.json"));
    put("bbbbbbbbbbbb", HI);
    symlinkSync("bbbbbbbbbbbb.json", join(folder, "cccccccccccc.json"));
    symlinkSync("nowhere.json", join(folder, "dddddddddddd.json"));
    execFileSync("mkfifo", [join(folder, "eeeeeeeeeeee.json")]);
    writeFileSync(join(folder, "ffffffffffff.json"), "{");
    truncateSync(join(folder, "ffffffffffff.json"), 64 * 1024 * 1024 + 1);
    mkdirSync(join(folder, "111111111111.json"));
    expect(told(await run())).toEqual([
      "aaaaaaaaaaaa.json refused: is a link that leads out of the folder",
      "bbbbbbbbbbbb.json imported",
      "cccccccccccc.json refused: belongs to session bbbbbbbbbbbb, not to the one it is named after",
      "dddddddddddd.json refused: cannot be read (ENOENT)",
      "eeeeeeeeeeee.json refused: is no regular file",
      "ffffffffffff.json refused: is larger than 64 MB (67108865 bytes)",
    ]);
  });

  test("a sessions folder that is a link to elsewhere is refused, one inside is not", async () => {
    const outer = join(home, "other");
    mkdirSync(join(outer, "real"), { recursive: true });
    symlinkSync("real", join(outer, "sessions"));
    expect((await openSessionsFolder(outer)).names).toEqual([]);
    rmSync(join(outer, "sessions"));
    symlinkSync(folder, join(outer, "sessions"));
    await expect(openSessionsFolder(outer)).rejects.toThrow("leads out of the folder");
    await expect(openSessionsFolder(join(home, "nothing"))).rejects.toThrow("cannot be read");
  });

  test("no control character of a name reaches the terminal", () => {
    const line = resultLine({
      file: "a\u001b[2J\nx.json",
      result: "refused",
      reason: "b\u0007",
      session: null,
      profile: null,
      counts: null,
      notes: [],
    });
    expect(line).not.toMatch(/\p{Cc}/u);
  });
});

describe("npm run import", () => {
  const importer = (...args: string[]) => {
    const { REDIS_URL: _redis, INIT_CWD: _cwd, ...env } = process.env;
    const { status, stdout, stderr } = spawnSync(process.execPath, ["scripts/import.ts", ...args], {
      env: { ...env, TALARIA_HOME: home },
      encoding: "utf8",
    });
    return { status, stdout, stderr };
  };

  test("a dry run reports and leaves no trace; what was refused makes the exit code 1", () => {
    put("aaaaaaaaaaaa", HI);
    const first = importer("hermes-webui", join(home, "webui"), "--dry-run");
    expect(first).toMatchObject({ status: 0, stderr: "" });
    expect(first.stdout).toBe(
      "imported aaaaaaaaaaaa.json (2 messages: 0 in both, 0 from state.db, 2 only in the file; profile default)\n" +
        "\n1 imported, 0 merged, 0 unchanged, 0 skipped, 0 refused\n",
    );
    writeFileSync(join(folder, "cccccccccccc.json"), "{");
    const second = importer("hermes-webui", folder, "--dry-run", "--json");
    expect(second.status).toBe(1);
    expect(JSON.parse(second.stdout)).toMatchObject({
      files: [
        { file: "aaaaaaaaaaaa.json", result: "imported" },
        { file: "cccccccccccc.json", result: "refused" },
      ],
      summary: { imported: 1, merged: 0, unchanged: 0, skipped: 0, refused: 1 },
    });
    expect(readdirSync(home)).toEqual(["webui"]);
    expect(existsSync(join(home, "talaria"))).toBe(false);
  });

  test.each([
    [[], "usage:"],
    [["hermes-webui"], "usage:"],
    [["zip", "."], "unknown format"],
    [["hermes-webui", ".", "."], "usage:"],
    [["hermes-webui", ".", "--force"], "usage:"],
    [["hermes-webui", "/does/not/exist"], "cannot be read"],
    [["hermes-webui", ".", "--profile", "nobody"], 'no profile "nobody"'],
  ])("%j is bad usage: exit code 2", (args, text) => {
    const { status, stderr, stdout } = importer(...args);
    expect([status, stderr, stdout]).toEqual([2, expect.stringContaining(text), ""]);
  });
});
