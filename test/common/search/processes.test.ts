import { spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { expect, test } from "@jest/globals";
import { openSearch, type Search } from "../../../common/search/open.ts";
import { make } from "../state-db/read-files.ts";
import { countDocs, newSearchPath, openIndex, say } from "./index-files.ts";

const MODULE = join(process.cwd(), "common", "search", "module.ts");

const fill = async (search: Search, file: string, maxRows: number): Promise<void> => {
  for (let more = true; more; ) ({ more } = await search.indexSome("default", file, maxRows));
};

test("two openings index one file at the same time, and both find everything once", async () => {
  const file = make("--sessions", "4", "--messages", "300");
  say(file, "ses_q", ["a zebra"]);
  const path = join(newSearchPath(), "..", "deep", "er", "search.db");
  const [a, b] = await Promise.all([openSearch(path), openSearch(path)]);
  try {
    await Promise.all([fill(a, file, 25), fill(b, file, 40)]);
    const alone = openIndex();
    alone.fill(file);
    expect(countDocs(path)).toEqual(countDocs(alone.path));
    for (const search of [a, b]) {
      const query = { q: "zebra", limit: 5, paths: { default: file } };
      expect((await search.search(query)).hits).toMatchObject([{ rowId: 1_201, uid: null }]);
      expect((await search.sessionsMatching(query)).hits).toHaveLength(1);
      expect(await search.status("default")).toEqual({ watermark: 1_201, done: true });
    }
    await a.indexLocal(
      [{ profile: "p", sessionId: "s", messageId: "m", text: "giraffe", role: "user", createdAt: 1 }],
      "1",
    );
    expect(await b.localMark()).toBe("1");
    expect((await b.search({ q: "giraffe", limit: 5, paths: {} })).hits).toMatchObject([{ messageId: "m" }]);
    await b.dropLocal("s");
    await b.forget("default");
    expect(countDocs(path)).toEqual({ docs: 0, words: 0 });
    await expect(a.search({ q: "x", limit: 5, paths: {}, cursor: "x" })).rejects.toMatchObject({
      code: "invalid_request",
    });
  } finally {
    await Promise.all([a.close(), b.close()]);
  }
});

test("an indexer that is killed leaves nothing half done; the next one goes on", async () => {
  const file = make("--sessions", "4", "--messages", "500");
  const path = newSearchPath();
  const script = `
    const { openIndexOps } = await import(${JSON.stringify(MODULE)});
    const { ops } = openIndexOps(${JSON.stringify(path)});
    for (let more = true; more; ) {
      ({ more } = ops.indexSome("default", ${JSON.stringify(file)}, 30));
      process.stdout.write("step\\n");
    }`;
  const watermarks: number[] = [];
  const index = openIndex(path);
  for (const killAfter of [1, 3, 8]) {
    const child = spawn(process.execPath, ["--input-type=module", "-e", script], {
      stdio: ["ignore", "pipe", "inherit"],
    });
    const ended = once(child, "close");
    let steps = 0;
    child.stdout.on("data", (data: Buffer) => {
      steps += data.toString().split("\n").length - 1;
      if (steps >= killAfter) child.kill("SIGKILL");
    });
    await ended;
    const { watermark } = index.status("default");
    watermarks.push(watermark);
    const { docs, words } = countDocs(path);
    expect(words).toBe(docs);
  }
  expect(watermarks[0]).toBeGreaterThan(0);
  expect(watermarks.toSorted((a, b) => a - b)).toEqual(watermarks);
  index.fill(file);
  const alone = openIndex();
  alone.fill(file);
  expect(countDocs(path)).toEqual(countDocs(alone.path));
});
