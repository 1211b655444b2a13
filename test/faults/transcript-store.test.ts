import { copyFile, rename, rm, writeFile } from "node:fs/promises";
import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import Database from "better-sqlite3";
import type { Session } from "../../common/contracts/session.ts";
import { type Deployment, startDeployment } from "../helpers/deployment.ts";
import { appendOutside, holdLock, rowsOf } from "../helpers/outside.ts";
import type { TestProcess } from "../helpers/process.ts";
import {
  allMessages,
  expectSettled,
  expectTruth,
  getSession,
  line,
  runToEnd,
  sentTo,
  stateDb,
} from "../helpers/truth.ts";
import { eventually, within } from "../helpers/wait.ts";

/** What happens to state.db itself: locked, replaced, removed, unreadable (session-reconciliation c.4, e.72 to e.74). */
describe("state.db in trouble", () => {
  let d: Deployment;
  let worker: TestProcess;
  beforeAll(async () => {
    d = await startDeployment();
    worker = await d.startWorker();
  });
  afterAll(() => d.close());

  const startAll = async (): Promise<void> => {
    await d.startApi();
    worker = await d.startWorker();
  };
  const killAll = async (): Promise<void> => {
    await Promise.all([d.api.kill(), worker.kill()]);
  };
  const begin = async (turns = 1): Promise<string> => {
    const { id } = await d.createSession();
    for (let i = 1; i <= turns; i++) await runToEnd(d, id, `turn ${i} [[fake tokens=${i + 2}]]`);
    return id;
  };
  const post = <T>(path: string, body: unknown = {}) => d.request<T>("POST", path, body);
  /** The file with everything in it, while nobody needs it. */
  const backup = async (): Promise<string> => {
    const db = new Database(stateDb(d), { timeout: 5_000 });
    db.pragma("wal_checkpoint(TRUNCATE)");
    db.close();
    const copy = `${stateDb(d)}.backup`;
    await copyFile(stateDb(d), copy);
    return copy;
  };
  const removeFile = async (): Promise<void> => {
    for (const suffix of ["", "-wal", "-shm"]) await rm(stateDb(d) + suffix, { force: true });
  };
  const storeFlag = async (id: string): Promise<string> =>
    (await d.request<{ store: string }>("GET", `/api/sessions/${id}/messages`)).body.store;

  test("locked by another program: runs end meanwhile, and their turns are in it afterwards, once, in order", async () => {
    const id = await begin();
    const lock = holdLock(stateDb(d));
    const first = d.follow((await d.startRun(id, "one [[fake tokens=3]]")).id);
    const second = d.follow((await d.startRun(id, "two [[fake tokens=4]]", { on_busy: "queue" })).id);
    await within("both runs end", Promise.all([first.ended, second.ended]));
    lock.end();
    await expectSettled(d);
    const users = (await expectTruth(d, id)).filter(({ role }) => role === "user");
    expect(users.map(({ content }) => content.split(" ")[0])).toEqual(["turn", "one", "two"]);
  });

  const ways: readonly (readonly [string, (copy: string) => Promise<void>])[] = [
    [
      "put in its place as another file",
      async (copy) => {
        await killAll();
        await copyFile(copy, `${stateDb(d)}.new`);
        await removeFile();
        await rename(`${stateDb(d)}.new`, stateDb(d));
        await startAll();
      },
    ],
    [
      "written into the same file",
      async (copy) => {
        await killAll();
        for (const suffix of ["-wal", "-shm"]) await rm(stateDb(d) + suffix, { force: true });
        await copyFile(copy, stateDb(d));
        await startAll();
      },
    ],
  ];
  test.each(ways)(
    "an older copy, %s: our turns and copies come back once, cuts hold",
    async (_how, restore) => {
      const grown = await begin(1);
      const undone = await begin(2);
      const copy = await backup();
      await runToEnd(d, grown, "later [[fake tokens=4]]");
      await appendOutside(stateDb(d), undone, 1);
      expect((await post(`/api/sessions/${undone}/undo`, { turns: 2 })).status).toBe(200);
      const fork = (await post<{ session: Session }>(`/api/sessions/${grown}/fork`)).body.session.id;
      const made = await begin(2);
      await eventually("the fork is in state.db", () => rowsOf(stateDb(d), fork).length === 4);
      const wanted = new Map<string, readonly string[]>();
      for (const id of [grown, undone, fork, made]) wanted.set(id, (await allMessages(d, id)).map(line));
      // Killed at once: what was written last may not have been looked at by anybody.
      await runToEnd(d, made, "last [[fake tokens=5]]");
      await restore(copy);
      await eventually("the last turn is written again", () => rowsOf(stateDb(d), made).length === 6);
      await expectSettled(d);
      for (const [id, lines] of wanted) {
        const messages = (await expectTruth(d, id)).map(line);
        expect(messages.slice(0, lines.length)).toEqual(lines);
        expect(messages).toHaveLength(id === made ? 6 : lines.length);
      }
      expect(wanted.get(undone)).toHaveLength(2);
      const active = rowsOf(stateDb(d), undone).filter(({ active }) => active === 1);
      expect(active.map(line)).toEqual(wanted.get(undone));
      // Row ids start lower again: what comes now is not hidden by a cut in the file before.
      await runToEnd(d, undone, "new [[fake tokens=3]]");
      await appendOutside(stateDb(d), undone, 2);
      await eventually("new rows are shown", async () => (await allMessages(d, undone)).length === 6);
      await expectSettled(d);
      await expectTruth(d, undone);
    },
    90_000,
  );

  test("removed while everything runs: it is made again from what we hold", async () => {
    const id = await begin(2);
    const before = (await allMessages(d, id)).map(line);
    await removeFile();
    expect((await allMessages(d, id)).map(line)).toEqual(before);
    await runToEnd(d, id, "after [[fake tokens=3]]");
    await eventually("the turns are written again", () => rowsOf(stateDb(d), id).length === 6);
    await expectSettled(d);
    const after = (await expectTruth(d, id)).map(line);
    expect(after.slice(0, 4)).toEqual(before);
    expect(after).toHaveLength(6);
    await runToEnd(d, id, "more [[fake tokens=3]]");
    expect(sentTo(d).slice(0, -1)).toEqual(after);
  });

  test("garbage: runs complete, the sidecar shows them and says so; back again, the turns are brought in", async () => {
    const id = await begin(1);
    await expectSettled(d);
    await killAll();
    const copy = await backup();
    await removeFile();
    await writeFile(stateDb(d), "this is no database, and it is long enough to be taken for one ".repeat(80));
    await startAll();
    await runToEnd(d, id, "meanwhile [[fake tokens=4]]");
    const { id: fresh } = await d.createSession();
    await runToEnd(d, fresh, "fresh [[fake tokens=3]]");
    expect(await storeFlag(id)).toBe("not_a_state_db");
    expect((await allMessages(d, id)).map(({ role }) => role)).toEqual([
      "user",
      "assistant",
      "user",
      "assistant",
    ]);
    expect((await getSession(d, id)).message_count).toBe(4);
    expect((await post(`/api/sessions/${id}/undo`)).status).toBe(503);
    const shown = (await allMessages(d, id)).map(line);

    await rename(copy, stateDb(d));
    await eventually("the flag is gone", async () => (await storeFlag(id)) === "ok");
    expect((await allMessages(d, id)).map(line)).toEqual(shown);
    await eventually("the turn is brought in", () => rowsOf(stateDb(d), id).length === 4);
    await expectSettled(d);
    expect((await expectTruth(d, id)).map(line)).toEqual(shown);
    expect(await expectTruth(d, fresh)).toHaveLength(2);
    await runToEnd(d, id, "then [[fake tokens=3]]");
    expect(sentTo(d).slice(0, -1)).toEqual(shown);
  });

  test("readable and not writable: nobody waits for it, and the turn is in it once it takes rows again", async () => {
    const id = await begin(1);
    const alter = (sql: string): void => {
      const db = new Database(stateDb(d), { timeout: 5_000 });
      db.exec(sql);
      db.close();
    };
    alter("create trigger refuse before insert on messages begin select raise(abort, 'no rows now'); end");
    await runToEnd(d, id, "refused [[fake tokens=4]]");
    expect(await allMessages(d, id)).toHaveLength(4);
    expect(rowsOf(stateDb(d), id)).toHaveLength(2);
    await runToEnd(d, id, "too [[fake tokens=3]]");
    expect(sentTo(d)).toHaveLength(5);
    alter("drop trigger refuse");
    await eventually("both turns are in it", () => rowsOf(stateDb(d), id).length === 6);
    await expectSettled(d);
    expect(await expectTruth(d, id)).toHaveLength(6);
  });
});
