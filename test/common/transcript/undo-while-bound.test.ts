import { expect, test } from "@jest/globals";
import { createTranscriptChanges } from "../../../common/transcript/changes.ts";
import { openHouse } from "../../helpers/house.ts";
import { acceptMessage } from "../../helpers/talaria-db.ts";

test("undo of a turn that comes into state.db while the undo looks for it: it is gone there and here", async () => {
  const house = await openHouse();
  const { db, lifecycle, transcript } = house;
  // Nothing moves by itself.
  db.onOutbox = () => {};
  const { session } = await db.sessions.create({ profile: "default" });
  const run = await acceptMessage(db, session.id, "never sent");
  await db.write.cancelRun(run.id, { role: "notice", content: "stopped", status: "cancelled" });
  const changes = createTranscriptChanges({
    ...{ read: db.read, write: db.write, stores: transcript.files },
    transcripts: {
      ...transcript.transcripts,
      lastPrompts: async (id, count) => {
        const found = await transcript.transcripts.lastPrompts(id, count);
        expect(await lifecycle.finisher.sync(run.id)).toBe(true);
        return found;
      },
    },
    afterCut: (id) => transcript.mirror.refresh(id),
  });
  const { removed_count, session: after } = await changes.undo(session.id, 1);
  expect([removed_count, after.message_count]).toEqual([2, 0]);
  expect((await transcript.transcripts.page(session.id, { limit: 10 })).data).toEqual([]);
  await transcript.mirror.settle();
  expect(await db.read.undoneCuts(10)).toEqual([]);
  await house.close();
});
