import { expect, test } from "@jest/globals";
import { createTranscripts } from "../../../common/transcript/transcripts.ts";
import { before } from "../../helpers/before.ts";
import { openHouse } from "../../helpers/house.ts";
import { acceptMessage } from "../../helpers/talaria-db.ts";

test("a session's first turn that comes into state.db while the transcript is read is in the transcript all the same", async () => {
  const house = await openHouse();
  const { db, lifecycle, transcript } = house;
  // Nothing moves by itself.
  db.onOutbox = () => {};
  const { session } = await db.sessions.create({ profile: "default" });
  const run = await acceptMessage(db, session.id, "hello");
  await db.write.cancelRun(run.id, { role: "notice", content: "stopped", status: "cancelled" });
  let synced = 0;
  const read = before(db.read, "localBefore", 1, async () => {
    synced += 1;
    expect(await lifecycle.finisher.sync(run.id)).toBe(true);
  });
  const page = await createTranscripts(read, transcript.files).page(session.id, { limit: 10 });
  expect(synced).toBeGreaterThan(0);
  expect(page.data.map(({ content }) => content)).toEqual(["hello", "stopped"]);
  await house.close();
});
