import { expect, test } from "@jest/globals";
import { pino } from "pino";
import { createBringUp } from "../../../common/mirror/bring-up.ts";
import { followStore } from "../../../common/mirror/follow.ts";
import { openHouse } from "../../helpers/house.ts";
import { acceptMessage } from "../../helpers/talaria-db.ts";

test("a session whose first turn comes into state.db while all sessions are compared is not taken for a deleted one", async () => {
  const house = await openHouse();
  const { db, lifecycle, transcript } = house;
  // Nothing moves by itself.
  db.onOutbox = () => {};
  const turn = async (): Promise<{ sessionId: string; runId: string }> => {
    const { session } = await db.sessions.create({ profile: "default" });
    const { id: runId } = await acceptMessage(db, session.id, "hello");
    await db.write.cancelRun(runId, { role: "notice", content: "stopped", status: "cancelled" });
    return { sessionId: session.id, runId };
  };
  // There is a file, so that the comparison has something to look at.
  expect(await lifecycle.finisher.sync((await turn()).runId)).toBe(true);
  const late = await turn();

  const leave = new AbortController();
  const call: typeof transcript.files.call = Object.create(transcript.files.call, {
    sessionsLight: {
      value: async (path: string) => {
        const all = await transcript.files.call.sessionsLight(path);
        expect(await lifecycle.finisher.sync(late.runId)).toBe(true);
        leave.abort();
        return all;
      },
    },
  });
  const stores = { ...transcript.files, call };
  const { read, write } = db;
  const deps = {
    ...{ name: "mirror under test", read, write, stores, search: transcript.search },
    ...{ canonical: { rewindOwn: async () => true, deleteOwn: async () => true } },
    ...{ dispatcher: lifecycle.dispatcher, profiles: async () => ["default"], workspace: async () => null },
    ...{ hint: () => {}, log: pino({ level: "silent" }) },
  };
  await followStore(deps, createBringUp(deps), "default", leave.signal);
  expect(leave.signal.aborted).toBe(true);
  expect(await db.read.sessionRow(late.sessionId)).toMatchObject({ store_id: late.sessionId });
  const page = await transcript.transcripts.page(late.sessionId, { limit: 10 });
  expect(page.data.map(({ content }) => content)).toEqual(["hello", "stopped"]);
  await house.close();
});
