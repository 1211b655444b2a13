import type { Message } from "../../../common/contracts/message.ts";

/** Messages by id: what is there is replaced in its place, what is new goes to the end (R-39: never by text). */
export const upsertMessages = (known: readonly Message[], news: readonly Message[]): readonly Message[] => {
  if (news.length === 0) return known;
  const index = new Map(known.map((message, i) => [message.id, i]));
  const merged = [...known];
  for (const message of news) {
    const at = index.get(message.id);
    if (at === undefined) {
      index.set(message.id, merged.length);
      merged.push(message);
    } else merged[at] = keepEqual(merged[at], message);
  }
  return merged;
};

/** Puts an older page before what is there. */
export const prependMessages = (known: readonly Message[], older: readonly Message[]): readonly Message[] => {
  const ids = new Set(known.map((message) => message.id));
  return [...older.filter((message) => !ids.has(message.id)), ...known];
};

export interface LatestPage {
  readonly data: readonly Message[];
  readonly hasOlder: boolean;
  /** Nothing that is known is newer than the page: what it does not hold behind its first message is gone. */
  readonly complete: boolean;
}

/**
 * Merges the newest page. Its order wins; older pages stay, and so do the messages of `keepRuns`. What the page does not
 * hold stays while it may be newer than the page, and goes otherwise. `contiguous` is false when the page does not reach
 * back to what is known, or everything before it was taken: then older pages are read again.
 */
export const mergeLatestPage = (
  known: readonly Message[],
  { data, hasOlder, complete }: LatestPage,
  keepRuns: ReadonlySet<string>,
): { readonly messages: readonly Message[]; readonly contiguous: boolean } => {
  const before = new Map(known.map((message) => [message.id, message]));
  const inPage = new Set(data.map((message) => message.id));
  const first = known.findIndex((message) => inPage.has(message.id));
  const fresh = data.map((message) => keepEqual(before.get(message.id), message));
  const stays = (message: Message): boolean =>
    !inPage.has(message.id) && (!complete || (message.run_id !== null && keepRuns.has(message.run_id)));
  const isLive = (message: Message): boolean => message.run_id !== null && keepRuns.has(message.run_id);
  if (first === -1 && known.length > 0 && hasOlder)
    return { messages: [...fresh, ...known.filter(isLive)], contiguous: false };
  const head = first === -1 || (complete && !hasOlder) ? [] : known.slice(0, first);
  const rest = known.slice(head.length).filter(stays);
  return { messages: [...head, ...fresh, ...rest], contiguous: head.length > 0 || known.length === 0 };
};

/** The known object when nothing changed, so that what shows it need not be drawn again. */
const keepEqual = (known: Message | undefined, news: Message): Message =>
  known !== undefined && JSON.stringify(known) === JSON.stringify(news) ? known : news;
