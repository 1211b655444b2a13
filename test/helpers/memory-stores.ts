import { entryJson } from "../../api/sse/events.ts";
import type { Hub } from "../../api/sse/port.ts";
import { TalariaError } from "../../common/base/errors.ts";
import { newId } from "../../common/base/ids.ts";
import type { SessionsChanged } from "../../common/contracts/events.ts";
import { isTerminal, type Run } from "../../common/contracts/run.ts";
import type { Session } from "../../common/contracts/session.ts";
import type { Entry, Journal, RunSpan } from "../../common/journal/port.ts";
import type { RunControl } from "../../common/lifecycle/port.ts";
import type { RunStore } from "../../common/runs/port.ts";
import type { SessionStore } from "../../common/sessions/port.ts";

/**
 * Scaffolding for tests of the HTTP edge alone: the ports kept in memory, with a switch that takes "Redis" away. What the
 * stores promise is tested with the real ones elsewhere.
 */
export interface MemoryHouse {
  readonly sessions: SessionStore;
  readonly runs: RunStore;
  readonly control: RunControl & { kicks: number; readonly told: string[] };
  readonly journal: Journal;
  readonly hub: Hub;
  /** Appends to a run; `generation` and `attempt` are those of the last `claim`. */
  emit(runId: string, event: string, payload?: Record<string, unknown>): Entry;
  claim(runId: string): void;
  setRun(runId: string, change: Partial<Run>): void;
  /** Forgets entries of the session's log after `seq` (the lost tail), or everything. */
  lose(sessionId: string, afterSeq: number): void;
  hint(hint: SessionsChanged): void;
  redisAway: boolean;
}

export const createMemoryHouse = (): MemoryHouse => {
  const sessionRows = new Map<string, Session>();
  const runRows = new Map<string, Run>();
  const keys = new Map<string, { runId: string; bodyHash: string }>();
  const logs = new Map<string, Entry[]>();
  const claims = new Map<string, { generation: number; attempt: number }>();
  let botName = "Hermes";
  let changed = Promise.withResolvers<void>();
  const hints: SessionsChanged[] = [];
  const restarts = new Map<string, number>();

  const wake = (): void => {
    changed.resolve();
    changed = Promise.withResolvers();
  };
  const logOf = (sessionId: string): Entry[] => {
    if (house.redisAway) throw new TalariaError("redis_unavailable", "away");
    const log = logs.get(sessionId) ?? [];
    logs.set(sessionId, log);
    return log;
  };
  const sessionOf = (id: string): Session => {
    const session = sessionRows.get(id);
    if (session === undefined) throw new TalariaError("session_not_found", "There is no session of that id.");
    return session;
  };
  const runOf = (id: string): Run => {
    const run = runRows.get(id);
    if (run === undefined) throw new TalariaError("run_not_found", "There is no run of that id.");
    return run;
  };
  const change = (id: string, fields: Partial<Session>): Session => {
    const session = { ...sessionOf(id), ...fields };
    session.revision += 1;
    sessionRows.set(id, session);
    return session;
  };
  const unfinished = (sessionId: string): Run[] =>
    [...runRows.values()].filter((run) => run.session_id === sessionId && !isTerminal(run.status));
  const headOf = ({ message_count, last_message_at, revision, active_run_id }: Session) => ({
    message_count,
    last_message_at,
    revision,
    active_run_id,
  });
  const spanOf = (sessionId: string, runId: string): RunSpan | null => {
    const own = logOf(sessionId).filter((entry) => entry.runId === runId);
    const first = own[0];
    const last = own.at(-1);
    if (first === undefined || last === undefined) return null;
    return {
      firstSeq: first.seq,
      lastSeq: last.seq,
      lastRunSeq: last.runSeq,
      lastAttempt: last.attempt,
      lastGeneration: last.generation,
      closed: last.event === "stream_end",
    };
  };

  const sessions: SessionStore = {
    async create(input) {
      const known = input.id === undefined ? undefined : sessionRows.get(input.id);
      if (known !== undefined) return { session: known, created: false };
      const session: Session = {
        id: input.id ?? newId("s"),
        title: input.title ?? null,
        title_source: input.title === undefined ? null : "user",
        profile: input.profile,
        model: input.model ?? null,
        workspace: input.workspace ?? null,
        source: "talaria",
        created_at: 1,
        updated_at: 1,
        last_message_at: null,
        message_count: 0,
        revision: 0,
        active_run_id: null,
        pinned: false,
        archived: false,
      };
      sessionRows.set(session.id, session);
      return { session, created: true };
    },
    get: async (id) => sessionOf(id),
    list: async ({ limit }) => ({ data: [...sessionRows.values()].slice(0, limit), next_cursor: null }),
    patch: async (id, { title, pinned }) =>
      change(id, { ...(title === undefined ? {} : { title }), ...(pinned === undefined ? {} : { pinned }) }),
    messages: async (id) => ({ data: [], next_cursor: null, revision: sessionOf(id).revision }),
    head: async (id) => headOf(sessionOf(id)),
    heads: async (ids) =>
      ids.flatMap((id) => {
        const session = sessionRows.get(id);
        return session === undefined ? [] : [{ ...headOf(session), session_id: id }];
      }),
    settings: async () => ({ bot_name: botName }),
    async patchSettings({ bot_name }) {
      if (bot_name !== undefined) botName = bot_name?.trim() || "Hermes";
      return { bot_name: botName };
    },
  };

  const runs: RunStore = {
    async accept({ sessionId, text, model, onBusy, recovery, idempotency }) {
      const session = sessionOf(sessionId);
      const message = {
        id: newId("m"),
        session_id: sessionId,
        run_id: null,
        role: "user" as const,
        content: text,
        status: "complete" as const,
        origin: "talaria",
        created_at: 1,
      };
      const known = idempotency === null ? undefined : keys.get(idempotency.key);
      if (known !== undefined) {
        if (known.bodyHash !== idempotency?.bodyHash)
          throw new TalariaError("idempotency_mismatch", "The key was used with another body.");
        return { run: runOf(known.runId), message, replayed: true };
      }
      const busy = unfinished(sessionId);
      if (onBusy === "reject" && busy[0] !== undefined)
        throw new TalariaError("session_busy", "A run is active.", {
          details: { active_run_id: busy[0].id },
        });
      const run: Run = {
        id: newId("r"),
        session_id: sessionId,
        profile: session.profile,
        model,
        status: "queued",
        attempt: 0,
        position: busy.length,
        recovery,
        created_at: 1,
        started_at: null,
        ended_at: null,
        error: null,
        usage: null,
        last_event_id: null,
      };
      runRows.set(run.id, run);
      if (idempotency !== null) keys.set(idempotency.key, { runId: run.id, bodyHash: idempotency.bodyHash });
      change(sessionId, { active_run_id: run.id, message_count: session.message_count + 1 });
      return { run, message, replayed: false };
    },
    get: async (id) => runOf(id),
    list: async () => ({ data: [...runRows.values()].reverse(), next_cursor: null }),
    unfinished: async (sessionId) => unfinished(sessionId),
  };

  const control: MemoryHouse["control"] = {
    kicks: 0,
    told: [],
    kick() {
      control.kicks++;
    },
    async cancel(runId) {
      const run = runOf(runId);
      if (isTerminal(run.status)) return { run, ended: true };
      house.setRun(runId, { status: "cancelled" });
      return { run: runOf(runId), ended: false };
    },
    async deleteSession(id) {
      sessionOf(id);
      sessionRows.delete(id);
      logs.delete(id);
    },
    async sessionChanged(id, reason) {
      control.told.push(`${id} ${reason}`);
    },
  };

  const refuse = async (): Promise<never> => {
    throw new Error("the HTTP side never writes to the journal");
  };
  const journal: Journal = {
    claim: refuse,
    append: refuse,
    announce: refuse,
    requestCancel: refuse,
    archive: refuse,
    trim: refuse,
    remove: refuse,
    range: async (sessionId, after, count) =>
      logOf(sessionId)
        .filter((entry) => entry.seq > after)
        .slice(0, count),
    runRange: async (sessionId, runId, after, count) =>
      logOf(sessionId)
        .filter((entry) => entry.runId === runId && entry.runSeq > after)
        .slice(0, count),
    span: async (sessionId, runId) => spanOf(sessionId, runId),
    head: async (sessionId) => logOf(sessionId).at(-1) ?? null,
    heads: async (ids) => ids.map((id) => logOf(id).at(-1) ?? null),
    async checkSessionCursor(sessionId, cursor) {
      const log = logOf(sessionId);
      if (cursor === "0")
        return (log[0]?.seq ?? 1) === 1 ? { kind: "after", seq: 0, runSeq: 0 } : { kind: "expired" };
      const found = log.find((entry) => `${entry.seq}-${entry.generation}` === cursor);
      if (found !== undefined) return { kind: "after", seq: found.seq, runSeq: found.runSeq };
      return Number.parseInt(cursor, 10) < (log[0]?.seq ?? 0) ? { kind: "expired" } : { kind: "unknown" };
    },
    async checkRunCursor(sessionId, runId, cursor) {
      const [runSeq, generation] = cursor.slice(runId.length + 1).split("-");
      const found = logOf(sessionId).find(
        (entry) =>
          entry.runId === runId &&
          entry.runSeq === Number(runSeq) &&
          (generation === undefined || entry.generation === Number(generation)),
      );
      return found === undefined
        ? { kind: "unknown" }
        : { kind: "after", seq: found.seq, runSeq: found.runSeq };
    },
  };

  const aborted = (signal: AbortSignal): Promise<void> =>
    new Promise((resolve) => {
      if (signal.aborted) resolve();
      signal.addEventListener("abort", () => resolve(), { once: true });
    });

  let followers = 0;
  const hub: Hub = {
    async *follow(sessionId, after, signal) {
      followers++;
      try {
        for (let at = after; !signal.aborted; ) {
          const next = changed.promise;
          if (!house.redisAway) {
            const restart = restarts.get(sessionId);
            if (restart !== undefined && at > restart) {
              throw Object.assign(new Error("the log restarted"), { name: "LogRestart" });
            }
            const batch = logOf(sessionId).filter((entry) => entry.seq > at);
            if (batch.length > 0) {
              yield batch.map((entry) => ({ ...entry, json: entryJson(entry) }));
              at = batch.at(-1)?.seq ?? at;
              continue;
            }
          }
          await Promise.race([next, aborted(signal)]);
        }
      } finally {
        followers--;
      }
    },
    async *hints(signal) {
      for (let at = hints.length; !signal.aborted; ) {
        const next = changed.promise;
        for (const hint of hints.slice(at)) yield hint;
        at = hints.length;
        await Promise.race([next, aborted(signal)]);
      }
    },
    get stats() {
      return { followers, sessions: 0, entriesRead: 0 };
    },
    close: async () => undefined,
  };

  const house: MemoryHouse = {
    sessions,
    runs,
    control,
    journal,
    hub,
    redisAway: false,
    claim(runId) {
      const old = claims.get(runId) ?? { generation: 0, attempt: 0 };
      claims.set(runId, { generation: old.generation + 1, attempt: old.attempt + 1 });
      house.setRun(runId, { status: "running", attempt: old.attempt + 1 });
    },
    emit(runId, event, payload = {}) {
      const { session_id } = runOf(runId);
      const log = logs.get(session_id) ?? [];
      logs.set(session_id, log);
      const { generation, attempt } = claims.get(runId) ?? { generation: 1, attempt: 0 };
      const runSeq = log.filter((entry) => entry.runId === runId).length + 1;
      const seq = (log.at(-1)?.seq ?? 0) + 1;
      const entry = { seq, generation, event, runId, runSeq, attempt, data: JSON.stringify(payload) };
      log.push(entry);
      wake();
      return entry;
    },
    setRun(runId, fields) {
      runRows.set(runId, { ...runOf(runId), ...fields });
    },
    lose(sessionId, afterSeq) {
      logs.set(
        sessionId,
        (logs.get(sessionId) ?? []).filter((entry) => entry.seq <= afterSeq),
      );
      restarts.set(sessionId, afterSeq);
      wake();
    },
    hint(hint) {
      hints.push(hint);
      wake();
    },
  };
  return house;
};
