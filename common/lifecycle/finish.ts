import { within } from "../base/bounded-wait.ts";
import type { RunEvent } from "../contracts/events.ts";
import type { Message } from "../contracts/message.ts";
import type { RunView } from "../contracts/run-view.ts";
import type { EndedTurn } from "../runs/ledger.ts";
import { entryOf, type LifecycleDeps } from "./deps.ts";
import { type KnownStep, repairEvents } from "./repair.ts";
import { terminalEvents } from "./terminal.ts";
import { abandonedTools, isAbandoned } from "./tool-events.ts";
import { readRunView } from "./view.ts";

/** How long a run's end waits for its profile's state.db before it is told without it, in milliseconds. */
const CANONICAL_WAIT_MS = 2_000;

/** What the journal acknowledged of a run. */
export interface Journaled {
  /** "complete": everything of the committed turn. */
  readonly view: RunView | "complete";
  /** The number of its newest entry. A log that does not reach it lost its end since then, and is read. */
  readonly lastRunSeq: number;
}

export interface Finisher {
  /**
   * Journals the end of a committed run, once: what the journal lacks of the committed turn, the end of tools left open,
   * the terminal event, `stream_end`. `journaled` spares reading the journal. Resolves with the log's last seq,
   * null when the run is gone. Rejects when Redis is away.
   */
  finish(
    runId: string,
    turn?: EndedTurn,
    journaled?: Journaled,
  ): Promise<{ readonly sessionId: string; readonly seq: number } | null>;
  /** Brings the turn into state.db; true when nothing is left to do. */
  sync(runId: string, turn?: EndedTurn): Promise<boolean>;
  /** Brings a session's imported or copied messages into state.db; true when nothing is left to do. */
  copy(sessionId: string): Promise<boolean>;
  /** Both, in order: state.db first, but never longer than a bound (DESIGN 6.5, 12.8). */
  conclude(
    turn: EndedTurn,
    journaled: Journaled,
  ): Promise<{ readonly synced: boolean; readonly seq: number | null }>;
}

export const createFinisher = ({ read, write, journal, canonical, hint, log }: LifecycleDeps): Finisher => {
  const tellEnd = async (turn: EndedTurn, lacking: readonly RunEvent[], reachesRunSeq: number) => {
    const { run } = turn.record;
    const target = {
      sessionId: run.session_id,
      runId: run.id,
      generation: turn.record.generation,
      attempt: run.attempt,
      minSeq: turn.minSeq,
      reachesRunSeq,
    };
    const events = [...lacking, ...terminalEvents(turn)];
    const result = await journal.announce(target, "end", events.map(entryOf), true);
    if (result.status === "gap") return "gap";
    hint({ session_id: run.session_id, profile: run.profile });
    return { sessionId: run.session_id, seq: result.status === "ok" ? result.lastSeq : 0 };
  };

  /** What Redis lost may have been sent: what takes its place gets ids that nobody has seen, those of another attempt. */
  const anew = async (turn: EndedTurn): Promise<EndedTurn> => {
    const { run } = turn.record;
    const generation = await write.raiseForEnd(run.session_id, run.id);
    if (generation === null) return turn;
    return { ...turn, record: { ...turn.record, generation, run: { ...run, attempt: run.attempt + 1 } } };
  };

  const finish: Finisher["finish"] = async (runId, given, journaled) => {
    const turn = given ?? (await read.endedTurn(runId));
    if (turn === null) return null;
    if (journaled !== undefined) {
      const told = await tellEnd(turn, lackingOf(turn, journaled.view), journaled.lastRunSeq);
      if (told !== "gap") return told;
    }
    const lacking = lackingOf(turn, await readRunView(journal, turn.session.id, runId));
    const isLost = journaled !== undefined || lacking.length > 0;
    const told = await tellEnd(isLost ? await anew(turn) : turn, lacking, 0);
    if (told === "gap") throw new Error("a log that was not asked about its length cannot be too short");
    return told;
  };

  const sync: Finisher["sync"] = async (runId, given) => {
    const turn = given ?? (await read.endedTurn(runId));
    // A turn that was cut away has no messages any more.
    if (turn === null || turn.messages.length === 0) return true;
    const { isNext, newestOwnRow } = await read.placeInStore(runId);
    if (!isNext) return false;
    const { session, messages, record } = turn;
    const storeId = (await read.sessionRow(session.id))?.store_id ?? session.id;
    const { profile, model } = record.run;
    const result = await canonical.append({
      ...{ profile, storeId, session, model, messages, forkedFrom: null, newestOwnRow },
    });
    if (result.status === "later") return false;
    if (result.status === "ok") {
      const { rows, title } = result;
      await write.bindTurn({ sessionId: session.id, runId, storeId, rows, title });
      return true;
    }
    log.warn({ run: runId, session: session.id }, "state.db does not take this turn");
    await write.placeTurn(session.id, runId);
    return true;
  };

  const copy: Finisher["copy"] = async (sessionId) => {
    const turn = await read.copiedTurn(sessionId);
    if (turn === null) return true;
    const { session } = turn;
    const parent = session.forked_from === null ? null : await read.sessionRow(session.forked_from);
    const messages = turn.messages.filter(({ bound }) => !bound).map(({ message }) => message);
    const result = await canonical.append({
      ...{ profile: session.profile, storeId: session.id, session, model: session.model, messages },
      forkedFrom: parent?.store_id ?? null,
      newestOwnRow: await read.newestWrittenRow(sessionId),
    });
    if (result.status === "ok") await write.bindCopies(sessionId, session.id, result.rows);
    return result.status !== "later";
  };

  return {
    finish,
    sync,
    copy,
    conclude: async (turn, journaled) => {
      const { id } = turn.record.run;
      const syncing = sync(id, turn).catch((err: unknown) => {
        log.warn({ err, run: id }, "state.db could not be written; trying again later");
        return false;
      });
      const synced = await within(syncing, CANONICAL_WAIT_MS, false);
      const finished = await finish(id, turn, journaled).catch((err: unknown) => {
        log.warn({ err, run: id }, "the journal could not be written; the end will be told later");
        return null;
      });
      return { synced, seq: finished?.seq ?? null };
    },
  };
};

/** What a journal that shows this lacks of the committed turn, before its end. */
const lackingOf = (turn: EndedTurn, view: RunView | "complete"): RunEvent[] =>
  view === "complete"
    ? []
    : [
        ...(view.lastSeq === 0 ? beginning(turn) : []),
        ...repairEvents(view, stepsOf(turn.messages)),
        ...abandonedTools(view, turn.record.run.status === "cancelled" ? "stopped" : "unknown"),
      ];

/** The first events of a run whose journal was lost as a whole. */
const beginning = ({ record, messages }: EndedTurn): RunEvent[] => {
  const message = messages[0];
  return message === undefined
    ? []
    : [{ event: "run_queued", payload: { position: record.run.position, message } }];
};

/** The committed turn as steps: every assistant message was one model call, followed by its tools' results. */
const stepsOf = (messages: readonly Message[]): KnownStep[] => {
  const steps: KnownStep[] = [];
  for (const message of messages) {
    if (message.role !== "assistant") continue;
    const tools = (message.tool_calls ?? []).map((call) => {
      const result = messages.find((other) => other.role === "tool" && other.tool_call_id === call.id);
      const ended = result !== undefined && !isAbandoned(result.content);
      return {
        call,
        started: ended,
        end: ended
          ? {
              result: result.content,
              isError: result.is_error ?? false,
              outcome: "done" as const,
              durationS: null,
            }
          : null,
      };
    });
    steps.push({ step: steps.length + 1, text: message.content, reasoning: message.reasoning ?? "", tools });
  }
  return steps;
};
