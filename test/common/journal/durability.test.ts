import { readdirSync, statSync, truncateSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "@jest/globals";
import { counted, readAll, token, withJournal } from "../../helpers/journal.ts";
import { startRedis } from "../../helpers/redis.ts";

const S = "s_1";
const first = { sessionId: S, runId: "run_a", generation: 1, attempt: 1 };
const second = { ...first, generation: 2, attempt: 2 };

const aofOf = (dir: string): string => {
  const folder = join(dir, "appendonlydir");
  const name = readdirSync(folder).find((file) => file.endsWith(".incr.aof"));
  if (name === undefined) throw new Error("no append-only file");
  return join(folder, name);
};

test("Redis killed with -9 and restarted on its directory has every acknowledged entry", async () => {
  const server = await startRedis({ appendonly: true });
  await withJournal(
    async ({ journal }) => {
      await journal.claim(first, 0);
      for (const batch of counted(1, 200)) await journal.append(first, batch, [token(`${batch}`)]);
      await server.kill();
      await expect(journal.append(first, 201, [token("201")])).rejects.toMatchObject({
        code: "redis_unavailable",
      });
      const again = await startRedis({ appendonly: true, dir: server.dir, port: server.port });
      expect(await journal.append(first, 201, [token("201")])).toMatchObject({
        duplicate: false,
        lastSeq: 201,
      });
      expect((await readAll(journal, S)).map(({ data }) => JSON.parse(data).text)).toEqual(
        counted(1, 201).map(String),
      );
      await again.stop();
    },
    { url: server.url },
  );
});

test("truncated tail: the writer meets a gap, and the lost ids never come back", async () => {
  const server = await startRedis({ appendonly: true });
  await withJournal(
    async ({ journal }) => {
      await journal.claim(first, 0);
      for (const batch of counted(1, 20)) await journal.append(first, batch, [token(`${batch}`)]);
      const kept = statSync(aofOf(server.dir)).size;
      for (const batch of counted(21, 5)) await journal.append(first, batch, [token(`${batch}`)]);
      await server.kill();
      truncateSync(aofOf(server.dir), kept);
      const again = await startRedis({ appendonly: true, dir: server.dir, port: server.port });
      await journal.head(S).catch(() => null);

      expect(await journal.append(first, 26, [token("26")])).toEqual({ status: "gap" });
      expect(await journal.checkSessionCursor(S, "25-1")).toEqual({ kind: "unknown" });
      expect(await journal.claim(second, 0)).toMatchObject({ lastSeq: 20, lastRunSeq: 20 });
      await journal.append(
        second,
        1,
        counted(0, 8).map((n) => token(`again ${n}`)),
      );
      // The numbers came back, the ids did not: a reader that holds the lost tail is not taken for up to date.
      expect(await journal.checkSessionCursor(S, "25-1")).toEqual({ kind: "unknown" });
      expect(await journal.checkRunCursor(S, "run_a", "run_a:25")).toEqual({ kind: "unknown" });
      expect(await journal.checkSessionCursor(S, "20-1")).toMatchObject({ kind: "after", seq: 20 });
      expect((await readAll(journal, S)).map(({ runSeq }) => runSeq)).toEqual(counted(1, 28));
      await again.stop();
    },
    { url: server.url },
  );
});
