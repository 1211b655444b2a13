import type { Async } from "../../common/sqlite/client.ts";
import type {
  Answer,
  DisplayRow,
  Segments,
  StateDbReadOps,
  Trouble,
} from "../../common/state-db/read/port.ts";

/** The conversation of a session in a profile's store, as one moment saw it. */
export interface Conversation {
  /** Oldest first. */
  readonly rows: readonly DisplayRow[];
  readonly maxRowId: number;
  /** The program that began it. */
  readonly origin: string;
}

/** A store that cannot be read, or that does not hold still: no import, or rows would be shown twice later. */
export class StoreTrouble extends Error {}

/** Reads the stores of profiles. A store that made trouble once is not waited for again by every other session. */
export interface Conversations {
  /** The segments of a session's conversation; null where the profile has no store or the store no such session. */
  segments(path: string, sessionId: string): Promise<Segments | null>;
  /**
   * Everything people see of a conversation, with the highest row id of the same moment. Another program may append
   * while the pages are read; then they are read again.
   */
  read(path: string, segments: Segments): Promise<Conversation>;
}

/** Every operation rejects with `StoreTrouble`. */
export const createConversations = (store: Async<StateDbReadOps>): Conversations => {
  const troubles = new Map<string, StoreTrouble>();
  const guarded = async <T>(path: string, work: () => Promise<T>): Promise<T> => {
    const known = troubles.get(path);
    if (known !== undefined) throw known;
    try {
      return await work();
    } catch (error) {
      if (error instanceof StoreTrouble && !(error instanceof BusyConversation)) troubles.set(path, error);
      throw error;
    }
  };
  return {
    segments: (path, sessionId) =>
      guarded(path, async () => {
        const answer = await store.segments(path, sessionId);
        return answer.state === "missing" ? null : must(answer);
      }),
    read: (path, segments) => guarded(path, () => readConversation(store, path, segments)),
  };
};

class BusyConversation extends StoreTrouble {}

const readConversation = async (
  store: Async<StateDbReadOps>,
  path: string,
  { ids, rootId }: Segments,
): Promise<Conversation> => {
  for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
    const before = must(await store.heads(path, ids));
    const rows = await readRows(store, path, ids);
    const after = must(await store.heads(path, ids));
    if (JSON.stringify(before) !== JSON.stringify(after)) continue;
    const origin = must(await store.sessionInfo(path, rootId))?.source ?? "unknown";
    return { rows, maxRowId: Math.max(0, ...before.map((head) => head.maxRowId)), origin };
  }
  throw new BusyConversation("the conversation is being written to: try again when its program is idle");
};

const ATTEMPTS = 5;
const PAGE_ROWS = 500;

const readRows = async (
  store: Async<StateDbReadOps>,
  path: string,
  ids: readonly string[],
): Promise<readonly DisplayRow[]> => {
  const pages: (readonly DisplayRow[])[] = [];
  for (let before: number | null | undefined; before !== null; ) {
    const page = must(await store.displayPage(path, ids, { limit: PAGE_ROWS, before }));
    pages.push(page.rows);
    before = page.nextBefore;
  }
  return pages.reverse().flat();
};

const must = <T>(answer: Answer<T>): T => {
  if (answer.state === "ok") return answer.value;
  throw new StoreTrouble(`the profile's state.db ${WORDS[answer.state]}`);
};

const WORDS: Readonly<Record<Trouble, string>> = {
  missing: "has vanished",
  not_a_state_db: "is no state.db",
  corrupt: "is damaged",
  locked: "is locked by another program",
  unavailable: "cannot be read",
};
