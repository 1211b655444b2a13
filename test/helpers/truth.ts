import { statSync } from "node:fs";
import { join } from "node:path";
import { expect } from "@jest/globals";
import type { Message } from "../../common/contracts/message.ts";
import type { Session } from "../../common/contracts/session.ts";
import type { Deployment } from "./deployment.ts";
import { readDb, rowsOf, type StoredRow } from "./outside.ts";
import { eventually } from "./wait.ts";

export const stateDb = (d: Deployment): string => join(d.home, "state.db");
export const sidecar = (d: Deployment): string => join(d.home, "talaria", "talaria.db");

/** What is said, by whom: one line. */
export const line = ({ role, content }: { readonly role: string; readonly content: string }): string =>
  `${role}: ${content}`;

/** What the other writer puts in front of some texts on their way to the model (`api_content`). */
const WRAPPER = "[Workspace::v1: /srv/app]\n";

/** The messages of the last request that the model got, without instructions and wrappers. */
export const sentTo = (d: Deployment, at = -1): readonly string[] =>
  (d.model.requests().at(at) as { messages: { role: string; content: string }[] }).messages
    .filter(({ role }) => role !== "system")
    .map(({ role, content }) => line({ role, content: content.replace(WRAPPER, "") }));

/** What a person removed, as row ids of this very file: from, exclusive, and to, inclusive. */
const cutsOf = (d: Deployment, sessionId: string): readonly (readonly [number, number])[] => {
  const { dev, ino } = statSync(stateDb(d), { bigint: true });
  return readDb(sidecar(d), (db) =>
    db
      .prepare<[string, string], { from: number; to: number }>(
        `select keep_through as "from", cut_row_id as "to" from cuts
         where session_id = ? and (file is null or file = ?)`,
      )
      .all(sessionId, `${dev}:${ino}`)
      .map(({ from, to }) => [from, to] as const),
  );
};

/** Rows of state.db that a person should see, computed without any code of the product. */
export const visibleRows = (d: Deployment, sessionId: string): readonly StoredRow[] => {
  const cuts = cutsOf(d, sessionId);
  return rowsOf(stateDb(d), sessionId).filter(
    ({ id, active }) => active === 1 && !cuts.some(([from, to]) => id > from && id <= to),
  );
};

/** Every message of a session, oldest first, page by page. */
export const allMessages = async (d: Deployment, sessionId: string): Promise<readonly Message[]> => {
  const found: Message[] = [];
  for (let cursor = ""; ; ) {
    const path = `/api/sessions/${sessionId}/messages?limit=50${cursor}`;
    const { status, body } = await d.request<{ data: Message[]; next_cursor: string | null }>("GET", path);
    if (status !== 200) throw new Error(`messages answered ${status}: ${JSON.stringify(body)}`);
    found.unshift(...body.data);
    if (body.next_cursor === null) return found;
    cursor = `&before=${encodeURIComponent(body.next_cursor)}`;
  }
};

export const getSession = async (d: Deployment, sessionId: string): Promise<Session> =>
  (await d.request<{ session: Session }>("GET", `/api/sessions/${sessionId}`)).body.session;

interface Duties {
  readonly outbox: number;
  readonly cuts: number;
  readonly graves: number;
  readonly uncounted: number;
}
const dutiesOf = (d: Deployment): Duties =>
  readDb(sidecar(d), (db) => {
    const count = (sql: string): number => Number(db.prepare(sql).pluck().get());
    return {
      outbox: count("select count(*) from outbox"),
      cuts: count("select count(*) from cuts where done = 0"),
      graves: count("select count(*) from tombstones where done = 0"),
      uncounted: count("select count(*) from sessions where counted = 0 and store_id is not null"),
    };
  });

/** Resolves when nothing is left to be told, written or taken back. */
export const expectSettled = async (d: Deployment, ms = 60_000): Promise<void> => {
  let last: Duties | null = null;
  const look = (): boolean => {
    last = dutiesOf(d);
    return Object.values(last).every((n) => n === 0);
  };
  await eventually("everything is settled", look, ms).catch((error: unknown) => {
    throw new Error(`still to do: ${JSON.stringify(last)}`, { cause: error });
  });
};

/**
 * The transcript as the API tells it, as it stands in state.db and as it is counted: the same messages, once, in the order of
 * the rows. Notices are ours alone. Resolves with the messages.
 */
export const expectTruth = async (d: Deployment, sessionId: string): Promise<readonly Message[]> => {
  // The count follows a commit of others within a look at the file.
  const counted = async (): Promise<boolean> =>
    (await getSession(d, sessionId)).message_count === (await allMessages(d, sessionId)).length;
  await eventually("the count is the transcript's", counted, 8_000).catch(() => {});
  const messages = await allMessages(d, sessionId);
  const shared = messages.filter(({ role }) => role !== "notice");
  expect(shared.map(line)).toEqual(visibleRows(d, sessionId).map(line));
  expect(new Set(messages.map(({ id }) => id)).size).toBe(messages.length);
  const uids = rowsOf(stateDb(d), sessionId).flatMap(({ uid }) => uid ?? []);
  expect(new Set(uids).size).toBe(uids.length);
  expect((await getSession(d, sessionId)).message_count).toBe(messages.length);
  return messages;
};

/** Starts a run, follows it to its end, and resolves with it. */
export const runToEnd = async (d: Deployment, sessionId: string, input: string) => {
  const run = await d.startRun(sessionId, input);
  const follower = d.follow(run.id);
  await follower.ended;
  expect(follower.view.terminal?.event).toBe("done");
  return run;
};
