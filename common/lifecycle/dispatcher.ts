import pLimit from "p-limit";
import type { OutboxRow, RunRecord } from "../runs/ledger.ts";
import { NO_TRACES, withSpan } from "../tracing/traces.ts";
import { announceSession, announceTitle, journalOf } from "./announce.ts";
import { entryOf, type LifecycleDeps } from "./deps.ts";
import type { Finisher } from "./finish.ts";
import { renameInStore } from "./store-title.ts";
import type { Wake } from "./wake.ts";

const PARALLEL = 32;
const TAKE = 200;
/** Longest pause before a row that cannot be told yet is tried again, in seconds. */
const MAX_DELAY_S = 15;

/** Moves the outbox: what a transaction decided is told to journal, queue and state.db, at least once, harmlessly repeated. */
export interface Dispatcher {
  /** Handles rows that this process wrote or took; the ones that fail stay and are tried again. Never rejects. */
  handle(rows: readonly OutboxRow[]): Promise<void>;
  /** Takes rows whose lease ran out (their process died, Redis was away) and handles them. Never rejects. */
  sweep(): Promise<void>;
  /** Begins the turn that ended processes of a session ask for; see `Wake`. Rejects when talaria.db cannot be read. */
  wake(sessionId: string): Promise<boolean>;
  /** Resolves when everything handed over so far has been tried. */
  settled(): Promise<void>;
}

export const createDispatcher = (deps: LifecycleDeps, finisher: Finisher, wake: Wake): Dispatcher => {
  const { read, write, journal, queue, log } = deps;
  const limit = pLimit(PARALLEL);
  const underway = new Set<Promise<void>>();

  const announce = async (row: OutboxRow): Promise<number> => {
    const news = await read.announcement(row.runId);
    if (news === null) return 0;
    const { record, message, minSeq } = news;
    const shown =
      message.content.length > 60_000
        ? { ...message, content: `${message.content.slice(0, 60_000)}…` }
        : message;
    const result = await journal.announce(
      { sessionId: row.sessionId, runId: row.runId, generation: record.generation, attempt: 0, minSeq },
      "queued",
      [entryOf({ event: "run_queued", payload: { position: record.run.position, message: shown } })],
    );
    deps.hint({ session_id: row.sessionId, profile: record.run.profile });
    return result.status === "ok" ? result.lastSeq : 0;
  };

  const announceJob = async ({ sessionId, runId }: OutboxRow): Promise<number> => {
    const job = await read.findJob(runId);
    if (job === null) return 0;
    const { stage = "", done = 0 } = job.progress ?? {};
    const key = `${job.id}-${job.created_at}-${job.state}-${job.attempt}-${stage}-${done}`;
    return journalOf(deps, sessionId, () => ({ key, event: { event: "job", payload: { job } } }));
  };

  const announceProcess = async ({ sessionId, runId }: OutboxRow): Promise<number> => {
    const process = (await read.findProcess(runId))?.process;
    if (process === undefined) return 0;
    const { id, state, completion, kill_requested } = process;
    const key = `${id}-${state}-${completion}${kill_requested ? "-kill" : ""}`;
    return journalOf(deps, sessionId, (session) => {
      if (completion === "told") deps.hint({ session_id: sessionId, profile: session.profile });
      return { key, event: { event: "process", payload: { process } } };
    });
  };

  const wakeUp = async (sessionId: string): Promise<boolean> => {
    const { done, outbox } = await wake(sessionId);
    // Not awaited: whoever asked may hold a place that these rows need.
    void handle(outbox);
    return done;
  };

  /** Tells one row; resolves with [done, journal position]. */
  const tell = async (row: OutboxRow): Promise<readonly [boolean, number]> => {
    switch (row.kind) {
      case "announce":
        return [true, await announce(row)];
      case "dispatch": {
        const record = await read.findRecord(row.runId);
        if (record !== null) await enqueue(deps, record);
        return [true, 0];
      }
      case "sync":
        return [await finisher.sync(row.runId), 0];
      case "external":
      case "cut":
        return [true, await announceSession(deps, row.sessionId, row.kind)];
      case "title":
        await renameInStore(deps, row.sessionId);
        return [true, await announceTitle(deps, row.sessionId)];
      case "job":
        return [true, await announceJob(row)];
      case "work": {
        const job = await read.findJob(row.runId);
        if (job !== null && job.ended_at === null) await queue.addJob(job);
        return [true, 0];
      }
      case "deliver": {
        const delivery = await read.deliveryToQueue(row.runId);
        if (delivery !== null) await queue.addDelivery(delivery);
        return [true, 0];
      }
      case "process":
        return [true, await announceProcess(row)];
      case "wake":
        return [await wakeUp(row.sessionId), 0];
      case "copy":
        return [await finisher.copy(row.sessionId), 0];
      case "finish":
        return [true, (await finisher.finish(row.runId))?.seq ?? 0];
    }
  };

  /** Rows of one session, in order: a run is announced before its job exists, and ended before the next one starts. */
  const handleSession = async (rows: readonly OutboxRow[]): Promise<void> => {
    const done: OutboxRow[] = [];
    let seq = 0;
    let sessionId = "";
    try {
      for (const row of rows) {
        sessionId = row.sessionId;
        const [finished, position] = await tell(row);
        seq = Math.max(seq, position);
        // The next turn waits for this row: it must be gone when that one's is looked at.
        if (finished && (row.kind === "sync" || row.kind === "copy")) await write.outboxDone([row]);
        else if (finished) done.push(row);
        else await write.outboxRetry(row, Math.min(MAX_DELAY_S, 2 ** Math.min(row.tries, 5)));
      }
    } catch (err) {
      log.warn(
        { err, session: sessionId, kinds: rows.map((row) => row.kind) },
        "the outbox could not be moved; trying again",
      );
    }
    if (done.length > 0) await write.outboxDone(done, seq > 0 ? [[sessionId, seq]] : []);
  };

  const handle = (rows: readonly OutboxRow[]): Promise<void> => {
    const sessions = Map.groupBy(inOrder(rows), (row) => row.sessionId);
    const work = Promise.all(
      [...sessions.values()].map((group) =>
        limit(() => handleSession(group)).catch((err: unknown) =>
          log.error({ err }, "the outbox could not be cleared"),
        ),
      ),
    ).then(() => {
      underway.delete(work);
    });
    underway.add(work);
    return work;
  };

  return {
    handle,
    wake: wakeUp,
    sweep: async () => {
      try {
        for (;;) {
          const rows = await write.takeOutbox(TAKE);
          await handle(rows);
          if (rows.length < TAKE) return;
        }
      } catch (err) {
        log.warn({ err }, "the outbox could not be read");
      }
    },
    settled: async () => {
      await Promise.all(underway);
    },
  };
};

/** The way over the queue begins here: job and attempt have ids in common, the trace is on the run's row. */
const enqueue = async (
  { queue, traces = NO_TRACES }: Pick<LifecycleDeps, "queue" | "traces">,
  { run, traceparent }: RunRecord,
): Promise<void> => {
  const attempt = run.attempt + 1;
  const attributes = {
    "talaria.run.id": run.id,
    "talaria.session.id": run.session_id,
    "talaria.attempt": attempt,
  };
  const span = traces.start({ name: "enqueue run", kind: "producer", attributes }, traceparent);
  await withSpan(span, () => queue.add(run, attempt));
};

const RANK = {
  ...{ copy: -1, external: -1, cut: -1, sync: 0, finish: 1, announce: 2, dispatch: 3 },
  // Never before what people wait for (background-jobs B-8).
  ...{ title: 4, job: 5, work: 6, process: 7, wake: 8, deliver: 9 },
} as const;
const inOrder = (rows: readonly OutboxRow[]): OutboxRow[] =>
  [...rows].sort((a, b) => RANK[a.kind] - RANK[b.kind] || a.id - b.id);
