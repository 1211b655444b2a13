import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "@jest/globals";
import type { Message } from "../../../common/contracts/message.ts";
import { createTranscriptChanges } from "../../../common/transcript/changes.ts";
import { createTranscripts } from "../../../common/transcript/transcripts.ts";
import { before } from "../../helpers/before.ts";
import { type House, openHouse } from "../../helpers/house.ts";
import { describeFile } from "../state-db/read-files.ts";

/** Messages of the copy: more than are read at once. */
const LONG = 700;

let house: House;
beforeEach(async () => {
  house = await openHouse();
  // Nothing moves by itself.
  house.db.onOutbox = () => {};
});
afterEach(() => house.close());

/** A session of copied messages, question and answer in turn, that are not in state.db yet. */
const copied = async (count: number): Promise<string> => {
  const id = `ses_copy_${count}`;
  const messages = Array.from({ length: count }, (_, n) => ({
    ...{ id: `${id}-c${n}`, rowId: null, uid: null, origin: "talaria", status: "complete" as const },
    ...{ role: n % 2 === 0 ? ("user" as const) : ("assistant" as const), content: `text ${n}` },
    createdAt: 1_790_000_000 + n,
  }));
  await house.db.write.copySession(
    {
      ...{ id, profile: "default", source: "talaria", title: null, titleSource: null, model: null },
      ...{ workspace: null, pinned: false, archived: false, createdAt: 1, updatedAt: 1, forkedFrom: null },
      ...{ store: null, digest: null, messages },
    },
    true,
  );
  return id;
};

/** The copies come into state.db, and are shown through their rows there. */
const bringIn = async (): Promise<void> =>
  house.lifecycle.dispatcher.handle(await house.db.write.takeOutbox(10));

const shown = async (id: string): Promise<readonly Message[]> =>
  (await house.transcript.transcripts.page(id, { limit: LONG })).data;

const changesOver = (db: Pick<House["db"], "read" | "write">) =>
  createTranscriptChanges({
    ...{ read: db.read, write: db.write, stores: house.transcript.files },
    transcripts: createTranscripts(db.read, house.transcript.files),
    afterCut: (id) => house.transcript.mirror.refresh(id),
  });

type Changes = ReturnType<typeof changesOver>;
const CUTS: readonly [string, (changes: Changes, id: string) => Promise<unknown>][] = [
  ["undo", (changes, id) => changes.undo(id, 1)],
  ["truncate", (changes, id) => changes.truncate(id, `${id}-c1`)],
];
const MOMENTS = ["localBefore", "baseMessages", "ownMessages", "cutSession"] as const;

test.each(CUTS.flatMap(([name, cut]) => MOMENTS.map((moment) => [name, moment, cut] as const)))(
  "%s while the copies come into state.db, before %s: two messages stay, here and there, and they are the same ones",
  async (_name, moment, cut) => {
    const id = await copied(4);
    const { db } = house;
    const changes = changesOver(
      moment === "cutSession"
        ? { read: db.read, write: before(db.write, moment, 1, bringIn) }
        : { read: before(db.read, moment, 1, bringIn), write: db.write },
    );
    expect(await cut(changes, id)).toMatchObject({ removed_count: 2, session: { message_count: 2 } });
    expect(await shown(id)).toMatchObject([{ id: `${id}-c0` }, { id: `${id}-c1` }]);
    await house.transcript.mirror.settle();
    expect(await house.db.read.undoneCuts(10)).toEqual([]);
    const [session] = describeFile(join(house.home, "state.db")).sessions;
    expect(session).toMatchObject({ id, active: 2 });
  },
);

test.each([
  ["retry", null],
  ["edit", "ses_copy_4-c2"],
])(
  "%s while the copies come into state.db: its run takes the place of the last turn alone",
  async (_name, messageId) => {
    const id = await copied(4);
    const changes = changesOver(house.db);
    const run = await changes.replacing(id, messageId, async ({ cut, text }) => {
      // At the first try only: there is nothing more to bring in at the second one.
      await bringIn();
      const request = {
        sessionId: id,
        text,
        model: null,
        recovery: "resume",
        idempotency: null,
        cut,
      } as const;
      return (await house.db.runs.accept({ ...request, onBusy: "reject" })).run;
    });
    expect(run.session_id).toBe(id);
    expect((await shown(id)).map(({ content }) => content)).toEqual(["text 0", "text 1", "text 2"]);
    expect(await shown(id)).toMatchObject([{ id: `${id}-c0` }, { id: `${id}-c1` }, { run_id: run.id }]);
  },
);

const texts = (messages: readonly Message[]): readonly string[] => messages.map(({ content }) => content);
const expected = (count: number): readonly string[] => Array.from({ length: count }, (_, n) => `text ${n}`);

type Transcripts = ReturnType<typeof createTranscripts>;
const forwards = async (transcripts: Transcripts, id: string): Promise<readonly Message[]> => {
  const all: Message[] = [];
  for await (const message of transcripts.all(id)) all.push(message);
  return all;
};
const backwards = async (transcripts: Transcripts, id: string): Promise<readonly Message[]> => {
  const all: Message[] = [];
  for await (const { message } of transcripts.newestFirst(id)) all.unshift(message);
  return all;
};

test.each([forwards, backwards].flatMap((walk) => [1, 2, 3].map((nth) => [walk.name, nth, walk] as const)))(
  "all messages are read %s while the copies come into state.db, before look %i: none is missing, none comes twice",
  async (_name, nth, walk) => {
    const id = await copied(LONG);
    const read = before(house.db.read, "localBefore", nth, bringIn);
    const all = await walk(createTranscripts(read, house.transcript.files), id);
    expect(await house.db.read.sessionRow(id)).toMatchObject({ store_id: id });
    expect(texts(all)).toEqual(expected(LONG));
    expect(new Set(all.map((message) => message.id)).size).toBe(LONG);
  },
);

test.each(["findMessage", "localBefore"] as const)(
  "one message, and a fork through it, are there while the copies come into state.db, before %s",
  async (moment) => {
    const one = await copied(10);
    const { read, write } = house.db;
    const transcripts = createTranscripts(before(read, moment, 1, bringIn), house.transcript.files);
    expect(await transcripts.message(one, `${one}-c6`)).toMatchObject({ content: "text 6" });
    const other = await copied(12);
    const changes = changesOver({ read: before(read, moment, 1, bringIn), write });
    const fork = await changes.fork(other, { through: `${other}-c6`, title: null });
    expect(texts(await shown(fork.id))).toEqual(expected(7));
  },
);

test.each<[string, (read: House["db"]["read"]) => House["db"]["read"]]>([
  ["between them", (read) => before(read, "sightOf", 1, bringIn)],
  ["while one is read", (read) => before(read, "localBefore", 1, bringIn)],
])("pages go on where they were when the copies come into state.db %s", async (_moment, when) => {
  const id = await copied(30);
  const newest = await house.transcript.transcripts.page(id, { limit: 8 });
  const transcripts = createTranscripts(when(house.db.read), house.transcript.files);
  const pages = [newest];
  for (let at = newest.next_cursor; at !== null; at = pages[0]?.next_cursor ?? null)
    pages.unshift(await transcripts.page(id, { limit: 8, before: at }));
  expect(texts(pages.flatMap(({ data }) => data))).toEqual(expected(30));
});
