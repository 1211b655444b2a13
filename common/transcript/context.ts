import { TalariaError } from "../base/errors.ts";
import { type EffectiveContext, effectiveContext } from "../compression/effective.ts";
import { modelContext } from "../compression/model-context.ts";
import type { Message } from "../contracts/message.ts";
import { comparePlaces, type Place, rowPlace } from "../sessions/places.ts";
import { type MessageRow, messageFromRow } from "../sessions/rows.ts";
import type { Async } from "../sqlite/client.ts";
import { type StateRow, toMessage } from "../state-db/read/rows.ts";
import type { ReadOps, WriteOps } from "../talaria-db/module.ts";
import { createKnown, createWritten, storeKeyOf, storeMessageId } from "./messages.ts";
import type { ContextReader, RunContext, SessionContext } from "./port.ts";
import { createLook, type Sight, type StoreSight, storeUnavailable } from "./sight.ts";
import type { StateStores } from "./store.ts";

export interface ContextDeps {
  readonly read: Async<ReadOps>;
  readonly write: Async<WriteOps>;
  readonly stores: StateStores;
}

/** Messages of a session that is in no state.db: no compression looks at more. */
const MAX_SIDECAR = 100_000;

/**
 * The model's history: active rows of the conversation's tip by id, as they were sent where the file knows that (part d, "next
 * turn"), then what the store lacks. Never made from the display set. The newest version of the context that still holds stands
 * for what it covers.
 */
export const createContextReader = ({ read, write, stores }: ContextDeps): ContextReader => {
  const look = createLook(read, stores);

  /** Without any compression. Null: the store cannot be read. */
  const historyOf = async (
    sessionId: string,
    store: StoreSight,
    { turn, until }: { readonly turn: number; readonly until: number | null },
  ): Promise<{ readonly messages: Message[]; readonly newestRow: number } | StateAway> => {
    const answer = await stores.call.modelRows(store.path, store.segments.tipId, {
      // Imported messages stand for rows in what people see, not in what the model gets.
      hidden: { ...store.hidden, floor: 0 },
      ...(until === null ? {} : { upTo: until }),
    });
    if (answer.state !== "ok") return { state: answer.state };
    const { rows } = answer.value;
    const local = await read.contextMessages(sessionId, turn, until ?? Number.MAX_SAFE_INTEGER);
    return { messages: await merged(sessionId, rows, local), newestRow: rows.at(-1)?.rowId ?? 0 };
  };

  /** The newest version mostly holds: older ones are read only where it does not, and none where nothing was ever compressed or cut. */
  const effective = async (
    { id: sessionId, context_revision: revision }: Sight["row"],
    messages: readonly Message[],
  ): Promise<EffectiveContext> => {
    const raw = modelContext(messages);
    const newest = revision === 0 ? [] : await read.contextVersions(sessionId, 1);
    const context = effectiveContext(raw, newest);
    if (context.version !== null || newest.length === 0) return context;
    return effectiveContext(raw, await read.contextVersions(sessionId));
  };

  return {
    async contextOf(runId): Promise<RunContext> {
      const record = await read.findRecord(runId);
      if (record === null) throw new TalariaError("run_not_found", "there is no such run");
      const { run, turn } = record;
      const sight = await look(run.session_id);
      const { context_revision: contextRevision } = sight.row;
      const told = async (
        messages: readonly Message[],
        storeState: RunContext["storeState"],
      ): Promise<RunContext> => ({
        ...(await effective(sight.row, messages)),
        ...{ contextRevision, storeState },
      });
      if (sight.store === null) return told(await read.transcriptFor(runId), sight.state);
      const until = await read.contextRow(runId);
      const history = await historyOf(run.session_id, sight.store, { turn, until });
      if ("state" in history) return told(await read.transcriptFor(runId), history.state);
      // Rows that come later are part of the next context, not of this run's second attempt.
      if (until === null) await write.keepContextRow(runId, history.newestRow);
      return told([...history.messages, ...(await read.ownPrompt(runId))], "ok");
    },

    async sessionContext(sessionId): Promise<SessionContext> {
      const sight = await look(sessionId);
      const { context_revision: contextRevision, next_turn: nextTurn } = sight.row;
      const told = async (messages: readonly Message[]): Promise<SessionContext> => ({
        ...(await effective(sight.row, messages)),
        ...{ contextRevision, nextTurn },
      });
      if (sight.store !== null) {
        const all = { turn: Number.MAX_SAFE_INTEGER, until: null };
        const history = await historyOf(sessionId, sight.store, all);
        // What cannot be seen would not be covered, and would come back behind the summary.
        if ("state" in history) throw storeUnavailable();
        return told(history.messages);
      }
      if (sight.state !== "ok" && sight.state !== "none") throw storeUnavailable();
      const rows = await read.sidecarBefore(sessionId, Number.MAX_SAFE_INTEGER, 0, MAX_SIDECAR);
      return told(rows.toReversed().map(messageFromRow));
    },

    async shownId(sessionId, id) {
      const key = storeKeyOf(id);
      if (key === null) return id;
      const [ids, uids] = "uid" in key ? [[], [key.uid]] : [[key.rowId], []];
      return (await read.boundMessages(sessionId, ids, uids))[0]?.id ?? id;
    },
  };

  async function merged(
    sessionId: string,
    rows: readonly StateRow[],
    local: readonly MessageRow[],
  ): Promise<Message[]> {
    const isWritten = createWritten(rows);
    const results = rows.filter(({ role }) => role === "tool");
    const known = createKnown(
      results.length === 0
        ? []
        : await read.boundMessages(
            sessionId,
            results.map(({ rowId }) => rowId),
            results.flatMap(({ uid }) => uid ?? []),
          ),
    );
    const items: { place: Place; message: Message }[] = rows.map((row) => ({
      place: rowPlace(row.rowId),
      message: sentMessage(row, sessionId, known.of(row)),
    }));
    for (const row of local) {
      // Imported messages stand for a history that the store does not have; where it has one, that is the model's (part d).
      if (row.run_id === null && rows.length > 0) continue;
      if (isWritten(row)) continue;
      items.push({
        place: { anchor: row.anchor ?? row.row_id ?? 0, turn: row.turn, idx: row.idx },
        message: messageFromRow(row),
      });
    }
    return items.sort((a, b) => comparePlaces(a.place, b.place)).map(({ message }) => message);
  }
};

interface StateAway {
  readonly state: RunContext["storeState"];
}

/** A row as it goes to the model: the wire text where the store kept one. */
const sentMessage = (row: StateRow, sessionId: string, known: MessageRow | undefined): Message => {
  const message = toMessage(row, {
    id: known?.id ?? storeMessageId({ uid: row.uid, position: row.rowId }),
    sessionId,
    origin: "talaria",
  });
  return {
    ...message,
    ...(row.apiContent === undefined ? {} : { content: row.apiContent }),
    ...(known === undefined || known.is_error === null ? {} : { is_error: known.is_error !== 0 }),
  };
};
