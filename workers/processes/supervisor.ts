import { StringDecoder } from "node:string_decoder";
import { within } from "../../common/base/bounded-wait.ts";
import { newId } from "../../common/base/ids.ts";
import { startRounds } from "../../common/base/rounds.ts";
import type { ProcessReason } from "../../common/contracts/process.ts";
import type { LifecycleDeps } from "../../common/lifecycle/deps.ts";
import type { Dispatcher } from "../../common/lifecycle/dispatcher.ts";
import type { Logger } from "../../common/logging/logger.ts";
import type { Redactor } from "../../common/logging/redact.ts";
import type { BackgroundCommand, SessionProcesses } from "../tools/process/port.ts";
import { type ChildGroup, type GroupEnd, startGroup } from "../tools/terminal/child-group.ts";
import { createOutputBuffer } from "../tools/terminal/output.ts";

export interface SupervisorDeps {
  readonly read: Pick<LifecycleDeps["read"], "findProcess" | "processesOf" | "processesToKill">;
  readonly write: Pick<
    LifecycleDeps["write"],
    "startProcess" | "beatProcesses" | "endProcess" | "killProcess"
  >;
  readonly dispatcher: Pick<Dispatcher, "handle">;
  readonly workerName: string;
  readonly log: Logger;
}

/** Who leaves something running, and as what it runs: captured from the run, never from the process (profiles P-21). */
export interface ProcessOwner {
  readonly sessionId: string;
  readonly runId: string;
  readonly profile: string;
  readonly workspace: string;
  readonly childEnv: Readonly<Record<string, string>>;
  /** Nothing that it printed is kept before it went through this. */
  readonly redactor: Redactor;
}

/** The background processes of this worker. They end with it, in whatever way it ends (`terminal/guarded-spawn.ts`). */
export interface Supervisor {
  forRun(owner: ProcessOwner): SessionProcesses;
  /** How many are running. */
  readonly running: number;
  /** Starts nothing more, ends what runs within a few seconds, and writes down that it was ended for the worker. */
  close(): Promise<void>;
}

const MAX_OF_SESSION = 8;
const MAX_OF_WORKER = 64;
/** How often it is looked for processes that somebody wants ended. */
const LOOK_MS = 1_000;
/** How often it is written down that they are there, with what they printed; much less than `PROCESS_SILENT_S`. */
const BEAT_MS = 3_000;
const GRACE_MS = 3_000;
/** How long a call waits for the end that it asked for. */
const KILL_WAIT_MS = 5_000;
const CLOSE_MS = 2 * GRACE_MS;
const MAX_OUTPUT_BYTES = 16 * 1024;
const MAX_COMMAND = 2_000;
const LIST = 50;

interface Held {
  readonly id: string;
  readonly group: ChildGroup;
  /** What it printed so far, redacted. */
  readonly text: () => string;
  written: string;
  /** Why this worker ends it. */
  stopping: ProcessReason | null;
  end: GroupEnd | null;
  /** Its row has ended, here or elsewhere. */
  readonly over: PromiseWithResolvers<void>;
}

export const createSupervisor = (deps: SupervisorDeps): Supervisor => {
  const { read, write, dispatcher, workerName, log } = deps;
  const held = new Map<string, Held>();
  let closing = false;
  let beatAt = 0;

  const stop = (process: Held, why: ProcessReason): void => {
    process.stopping ??= why;
    process.group.stop(GRACE_MS);
  };

  /** Writes the end down; what cannot be written now is written by a later round. */
  const settle = async (process: Held): Promise<void> => {
    const { id, end, stopping } = process;
    if (end === null) return;
    const ending = { reason: stopping ?? "exited", exitCode: end.exitCode, signal: end.signal } as const;
    try {
      const outbox = await write.endProcess(id, workerName, { ...ending, output: process.text() });
      held.delete(id);
      process.over.resolve();
      await dispatcher.handle(outbox);
    } catch (err) {
      log.warn({ err, process: id }, "the end of a background process could not be written; trying again");
    }
  };

  const round = async (): Promise<void> => {
    if (held.size === 0) return;
    const all = [...held.values()];
    for (const id of await read.processesToKill(workerName)) {
      const process = held.get(id);
      if (process !== undefined) stop(process, "killed");
    }
    const now = performance.now();
    if (now - beatAt >= BEAT_MS) {
      const news = all.map((process) => ({ process, text: process.text() }));
      const lost = await write.beatProcesses(
        workerName,
        news.map(({ process, text }) => ({ id: process.id, output: text === process.written ? null : text })),
      );
      beatAt = now;
      for (const { process, text } of news) process.written = text;
      for (const id of lost) {
        const process = held.get(id);
        if (process === undefined) continue;
        // Its session was deleted, or this worker was silent for so long that it was taken for dead.
        log.warn({ process: id }, "a background process is not this worker's any more and is ended");
        stop(process, "worker_lost");
      }
    }
    for (const process of all) if (process.end !== null) await settle(process);
  };
  const rounds = startRounds({
    work: round,
    pauseMs: () => LOOK_MS,
    onError: (err) => log.warn({ err }, "a look at background processes failed; the next one follows"),
  });

  /** Resolves with the process' id once it runs; it has a row already. */
  const spawn = (owner: ProcessOwner, { command, maxLifeS }: BackgroundCommand, id: string): void => {
    const output = createOutputBuffer(MAX_OUTPUT_BYTES);
    const decoder = new StringDecoder("utf8");
    // In pieces as it comes: what is cut out of the middle later must not cut a secret in two.
    const redacted = owner.redactor.stream();
    const group = startGroup({
      command,
      cwd: owner.workspace,
      env: { ...owner.childEnv, TALARIA_PROCESS_ID: id },
      onOutput: (chunk) => output.push(Buffer.from(redacted.push(decoder.write(chunk)))),
    });
    const over = Promise.withResolvers<void>();
    const process: Held = { id, group, text: output.text, written: "", stopping: null, end: null, over };
    held.set(id, process);
    const life = setTimeout(() => stop(process, "time_limit"), maxLifeS * 1000);
    const ended = (end: GroupEnd): Promise<void> => {
      clearTimeout(life);
      output.push(Buffer.from(redacted.push(decoder.end()) + redacted.flush()));
      process.end = end;
      return settle(process);
    };
    void group.ended.then(ended, (err: unknown) => {
      log.warn({ err, process: id }, "a background process could not be started");
      process.stopping = "not_started";
      return ended({ exitCode: null, signal: null });
    });
  };

  const forRun = (owner: ProcessOwner): SessionProcesses => {
    const { sessionId, runId, profile } = owner;
    const ofSession = async (id: string) => {
      const found = await read.findProcess(id);
      return found?.process.session_id === sessionId ? found : null;
    };
    return {
      async start(command) {
        if (closing) return { refused: "The worker is being stopped; start it again in the next turn." };
        if (held.size >= MAX_OF_WORKER) return { refused: "Too many background processes are running." };
        const id = newId("proc");
        const shown = owner.redactor.text(command.command).slice(0, MAX_COMMAND).toWellFormed();
        const row = {
          id,
          sessionId,
          runId,
          profile,
          command: shown,
          worker: workerName,
          notify: command.notify,
        };
        const started = await write.startProcess(row, MAX_OF_SESSION);
        if (started === "gone") return { refused: "The session was deleted." };
        if (started === "full")
          return {
            refused: `This session has ${MAX_OF_SESSION} background processes already; end one first.`,
          };
        void dispatcher.handle(started.outbox);
        try {
          spawn(owner, command, id);
          return { id };
        } catch (err) {
          log.warn({ err, process: id }, "a background process could not be started");
          const ending = { reason: "not_started", exitCode: null, signal: null, output: "" } as const;
          void dispatcher.handle(await write.endProcess(id, workerName, ending));
          return { refused: "The command could not be started." };
        }
      },
      list: () => read.processesOf(sessionId, LIST),
      async output(id) {
        const found = await ofSession(id);
        // Of a process of this worker what it printed up to now, otherwise what was written down last.
        return found === null ? null : { ...found, output: held.get(id)?.text() ?? found.output };
      },
      async kill(id) {
        if ((await ofSession(id)) === null) return null;
        const { outbox = [] } = (await write.killProcess(id, "model")) ?? {};
        void dispatcher.handle(outbox);
        const process = held.get(id);
        if (process !== undefined) {
          stop(process, "killed");
          await within(process.over.promise, KILL_WAIT_MS, undefined);
        }
        return (await ofSession(id))?.process ?? null;
      },
    };
  };

  return {
    forRun,
    get running() {
      return held.size;
    },
    close: async () => {
      closing = true;
      const all = [...held.values()];
      for (const process of all) stop(process, "worker_stopped");
      await within(Promise.all(all.map(({ over }) => over.promise)), CLOSE_MS, undefined);
      await rounds.close();
    },
  };
};
