import { TalariaError } from "../base/errors.ts";
import { newId } from "../base/ids.ts";
import { MAX_COPIED_MESSAGES } from "../contracts/http.ts";
import type { Message } from "../contracts/message.ts";
import { identitiesOf } from "../reconcile/identity.ts";
import type { CopiedMessage } from "../sessions/copy-ops.ts";
import type { CutKind, NewCut, OwnRow } from "../sessions/cut-ops.ts";
import { ownRowsOf } from "../sessions/own-rows.ts";
import { comparePlaces, isStored, PENDING, type Place, START } from "../sessions/places.ts";
import type { MessageRow } from "../sessions/rows.ts";
import type { Async } from "../sqlite/client.ts";
import { toMergeRow } from "../state-db/read/rows.ts";
import { deriveUid } from "../state-db/uid.ts";
import type { ReadOps, WriteOps } from "../talaria-db/module.ts";
import type { CutResult, ReplacedTurn, TranscriptChanges, Transcripts } from "./port.ts";
import { type Sight, type StoreSight, storeUnavailable } from "./sight.ts";
import { createWhereStanding } from "./standing.ts";
import type { StateStores } from "./store.ts";

export interface ChangeDeps {
  readonly read: Async<ReadOps>;
  readonly write: Async<WriteOps>;
  readonly stores: StateStores;
  readonly transcripts: Transcripts;
  /** Counts the session anew and tells its followers. */
  readonly afterCut: (sessionId: string) => Promise<void>;
}

/** Removed rows whose identities are remembered; a larger cut is remembered by row ids alone. */
const MAX_REMEMBERED = 2_000;
/** Messages that a rotation carries on at most. */
const MAX_CARRIED = 400;

/** What a cut takes away, as it was found. */
interface FoundCut {
  readonly sight: Sight;
  readonly kind: CutKind;
  readonly from: Place;
  /** Messages that go, and how many of them are shown from the store. */
  readonly removed: number;
  readonly stored: number;
  readonly input: string | null;
}

/** Undo, retry, edit, truncate, clear: durable cuts, committed before the store follows (c.7). Fork: a copy of its own. */
export const createTranscriptChanges = (deps: ChangeDeps): TranscriptChanges => {
  const { read, write, stores, transcripts } = deps;
  const whereStanding = createWhereStanding(read);

  /** The cut that takes away everything from a place on. */
  const cutFrom = async (sight: Sight, kind: CutKind, from: Place, shown = 0): Promise<NewCut> => {
    const kept = await lastKept(sight, from);
    const own = await ownFrom(sight.row.id, from, kept);
    const unwritten = await unwrittenFrom(sight.row.id, from);
    const nothing = {
      kind,
      from,
      standing: sight.row,
      keepThrough: kept,
      cutRowId: kept,
      file: null,
      removed: unwritten,
      own,
      shown,
    };
    if (sight.state !== "ok" && sight.state !== "none") throw storeUnavailable();
    if (sight.store === null) return nothing;
    const { path, segments, file } = sight.store;
    const newest = await stores.call.maxRowId(path, segments.ids);
    if (newest.state !== "ok") throw storeUnavailable();
    // What is not in the store yet stands behind every row of it.
    const keepThrough = Math.min(kept, newest.value);
    const cutRowId = newest.value;
    const removed = await stores.call.identities(path, segments.ids, [keepThrough, cutRowId], MAX_REMEMBERED);
    const copied = segments.ids.length < 2 ? new Set() : await identitiesBefore(sight.store, keepThrough + 1);
    const written = (removed.state === "ok" ? (removed.value ?? []) : []).filter((one) => !copied.has(one));
    return { ...nothing, keepThrough, cutRowId, file, removed: [...written, ...unwritten] };
  };

  /** Rotation carries the end of a segment into the next one: such copies go without the messages that they are copies of. */
  const identitiesBefore = async (
    { path, segments }: StoreSight,
    before: number,
  ): Promise<ReadonlySet<string>> => {
    const page = await stores.call.displayPage(path, segments.ids, { before, limit: MAX_CARRIED });
    const rows = page.state === "ok" ? page.value.rows : [];
    return new Set(rows.flatMap((row) => identitiesOf(toMergeRow(row))));
  };

  /** The last row id that stays when a place and what follows goes. */
  const lastKept = async (sight: Sight, from: Place): Promise<number> => {
    if (from.turn < 0) return from.anchor - 1;
    if (from.anchor > 0) return Math.min(from.anchor, PENDING);
    // Among imported messages: what stays of the store is what the kept ones stand for.
    const kept = (await read.baseMessages(sight.row.id)).filter(
      ({ turn, idx }) => turn < from.turn || (turn === from.turn && idx < from.idx),
    );
    return Math.max(0, ...kept.map(({ row_id }) => row_id ?? 0));
  };

  /** True for a message that goes with everything from a place on. */
  const goes = (
    row: Pick<MessageRow, "anchor" | "turn" | "idx" | "row_id">,
    from: Place,
    kept: number,
  ): boolean =>
    row.anchor === null
      ? (row.row_id ?? 0) > kept
      : comparePlaces({ anchor: row.anchor, turn: row.turn, idx: row.idx }, from) >= 0;

  const ownFrom = async (sessionId: string, from: Place, kept: number): Promise<readonly OwnRow[]> =>
    ownRowsOf(
      (await read.ownMessages(sessionId)).filter((row) => goes(row, from, kept)),
      deriveUid,
    );

  /** Identities of what may be on its way into the store at this moment: it stays away when it comes. */
  const unwrittenFrom = async (sessionId: string, from: Place): Promise<readonly string[]> =>
    [
      // Those that no row stands for are in front of every row.
      ...(from.anchor > 0 ? [] : await read.baseMessages(sessionId)),
      ...(await read.pendingMessages(sessionId)),
    ]
      .filter((row) => row.row_id === null && goes(row, from, 0))
      .slice(0, MAX_REMEMBERED)
      .flatMap((row) =>
        identitiesOf({
          role: row.role,
          content: row.content,
          timestamp: Math.round(row.created_at * 1e6) / 1e6,
          message_uid: deriveUid(row.id),
          tool_call_id: row.tool_call_id,
          tool_calls: row.tool_calls,
          tool_name: row.tool_name,
        }),
      );

  /** Makes the cut that `find` works out; null: there is nothing to take away. */
  const cut = async (sessionId: string, find: () => Promise<FoundCut | null>): Promise<CutResult> => {
    const made = await whereStanding(sessionId, async () => {
      const found = await find();
      if (found === null) return null;
      const { sight, kind, from, stored } = found;
      await write.cutSession(sessionId, await cutFrom(sight, kind, from, stored));
      return found;
    });
    if (made !== null) await deps.afterCut(sessionId);
    const session = await read.getSession(sessionId);
    return { session, removed_count: made?.removed ?? 0, input: made?.input ?? null };
  };

  /** Pages give the beginning of a long text; what is sent or edited again is all of it. */
  const wholeText = async (sessionId: string, { content, full_bytes, id }: Message): Promise<string> =>
    full_bytes === undefined ? content : (await transcripts.message(sessionId, id)).content;

  /** What stands behind a place, and the first user message among it. */
  const behind = async (sessionId: string, place: Place) => {
    let removed = 0;
    let stored = 0;
    let prompt: Message | null = null;
    let from: Place | null = null;
    for await (const item of transcripts.newestFirst(sessionId)) {
      if (comparePlaces(item.place, place) <= 0) break;
      removed += 1;
      stored += Number(isStored(item.place));
      from = item.place;
      // What the system said in a person's place goes into no composer.
      if (item.message.role === "user" && item.message.source === undefined) prompt = item.message;
    }
    const input = prompt === null ? null : await wholeText(sessionId, prompt);
    return { removed, stored, input, from };
  };

  const lastTurn = async (sessionId: string): Promise<ReplacedTurn> => {
    const { sight, prompts, stored } = await transcripts.lastPrompts(sessionId, 1);
    const [last] = prompts;
    if (last === undefined) throw new TalariaError("nothing_to_undo", "there is no message to send again");
    const text = await wholeText(sessionId, last.message);
    const { source, parts = [], run_id: runId } = last.message;
    const made = source === undefined ? {} : { made: { source, parts } };
    return { cut: await cutFrom(sight, "retry", last.place, stored), text, runId, ...made };
  };

  const turnOf = async (sessionId: string, messageId: string): Promise<ReplacedTurn> => {
    const { sight, place } = await transcripts.place(sessionId, messageId);
    const message = await transcripts.message(sessionId, messageId);
    if (message.role !== "user" || message.source !== undefined)
      throw new TalariaError("invalid_request", "Only a user message can be edited.", {
        details: [{ path: "message_id", message: "names no user message" }],
      });
    return { cut: await cutFrom(sight, "edit", place), text: message.content, runId: message.run_id };
  };

  return {
    undo: (sessionId, turns) =>
      cut(sessionId, async () => {
        const { sight, prompts, following, stored } = await transcripts.lastPrompts(sessionId, turns);
        const first = prompts.at(-1);
        if (first === undefined) throw new TalariaError("nothing_to_undo", "there is nothing to take back");
        const typed = prompts.findLast(({ message }) => message.source === undefined);
        const input = typed === undefined ? null : await wholeText(sessionId, typed.message);
        return { sight, kind: "undo", from: first.place, removed: following, stored, input };
      }),

    truncate: (sessionId, keepThrough) =>
      cut(sessionId, async () => {
        const { sight, place } = await transcripts.place(sessionId, keepThrough);
        const { from, ...counts } = await behind(sessionId, place);
        return from === null ? null : { sight, kind: "truncate", from, ...counts };
      }),

    clear: (sessionId) =>
      cut(sessionId, async () => {
        const sight = await transcripts.look(sessionId);
        const { message_count: removed, store_count: stored } = sight.row;
        return { sight, kind: "clear", from: START, removed, stored, input: null };
      }),

    replacing: (sessionId, messageId, use) =>
      whereStanding(sessionId, async () =>
        use(await (messageId === null ? lastTurn(sessionId) : turnOf(sessionId, messageId))),
      ),

    cutMade: deps.afterCut,

    async fork(sessionId, { through, title }) {
      const session = await read.getSession(sessionId);
      const id = newId("ses");
      const messages: CopiedMessage[] = [];
      for await (const message of transcripts.all(sessionId, through)) {
        if (messages.length === MAX_COPIED_MESSAGES)
          throw new TalariaError(
            "body_too_large",
            `A copy may have at most ${MAX_COPIED_MESSAGES} messages.`,
          );
        messages.push(copyOf(message, `${id}-c${messages.length}`));
      }
      const now = Date.now() / 1000;
      return write.copySession(
        {
          id,
          profile: session.profile,
          source: "talaria",
          title: title ?? session.title,
          titleSource: title === null ? session.title_source : "user",
          model: session.model,
          workspace: session.workspace,
          pinned: false,
          archived: false,
          createdAt: now,
          updatedAt: now,
          forkedFrom: session.id,
          store: null,
          digest: null,
          messages,
        },
        true,
      );
    },
  };
};

export const copyOf = (
  message: Omit<Message, "id" | "session_id" | "run_id">,
  id: string,
): CopiedMessage => ({
  id,
  rowId: null,
  uid: null,
  role: message.role,
  content: message.content,
  ...(message.parts === undefined ? {} : { parts: message.parts }),
  ...(message.reasoning === undefined ? {} : { reasoning: message.reasoning }),
  ...(message.tool_calls === undefined ? {} : { toolCalls: message.tool_calls }),
  toolCallId: message.tool_call_id,
  toolName: message.tool_name,
  isError: message.is_error,
  status: message.status,
  ...(message.source === undefined ? {} : { source: message.source }),
  origin: message.origin,
  createdAt: message.created_at,
});
