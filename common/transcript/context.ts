import { TalariaError } from "../base/errors.ts";
import type { Message } from "../contracts/message.ts";
import { comparePlaces, type Place, rowPlace } from "../sessions/places.ts";
import { type MessageRow, messageFromRow } from "../sessions/rows.ts";
import type { Async } from "../sqlite/client.ts";
import { type StateRow, toMessage } from "../state-db/read/rows.ts";
import type { ReadOps, WriteOps } from "../talaria-db/module.ts";
import { createKnown, createWritten, storeMessageId } from "./messages.ts";
import type { ContextReader, RunContext } from "./port.ts";
import { createLook } from "./sight.ts";
import type { StateStores } from "./store.ts";

export interface ContextDeps {
  readonly read: Async<ReadOps>;
  readonly write: Async<WriteOps>;
  readonly stores: StateStores;
}

/**
 * The model's history of a run: active rows of the conversation's tip by id, as they were sent where the file knows that
 * (part d, "next turn"), then what the store lacks. Never made from the display set.
 */
export const createContextReader = ({ read, write, stores }: ContextDeps): ContextReader => {
  const look = createLook(read, stores);

  return {
    async contextOf(runId): Promise<RunContext> {
      const record = await read.findRecord(runId);
      if (record === null) throw new TalariaError("run_not_found", "there is no such run");
      const { run, turn } = record;
      const sight = await look(run.session_id);
      if (sight.store === null) return { messages: await read.transcriptFor(runId), storeState: sight.state };
      const until = await read.contextRow(runId);
      const answer = await stores.call.modelRows(sight.store.path, sight.store.segments.tipId, {
        // Imported messages stand for rows in what people see, not in what the model gets.
        hidden: { ...sight.store.hidden, floor: 0 },
        ...(until === null ? {} : { upTo: until }),
      });
      if (answer.state !== "ok")
        return { messages: await read.transcriptFor(runId), storeState: answer.state };
      const { rows } = answer.value;
      // Rows that come later are part of the next context, not of this run's second attempt.
      if (until === null) await write.keepContextRow(runId, rows.at(-1)?.rowId ?? 0);
      const local = await read.contextMessages(run.session_id, turn, until ?? Number.MAX_SAFE_INTEGER);
      return {
        messages: [...(await merged(sight.row.id, rows, local)), ...(await read.ownPrompt(runId))],
        storeState: "ok",
      };
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
