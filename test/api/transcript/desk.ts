import { copyFileSync, mkdirSync, mkdtempSync, renameSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll } from "@jest/globals";
import Database from "better-sqlite3";
import type { ContextMessage } from "../../../common/compression/context-message.ts";
import type { CutAnswer, MessagePage } from "../../../common/contracts/http.ts";
import type { Message } from "../../../common/contracts/message.ts";
import type { Run } from "../../../common/contracts/run.ts";
import type { Session, SessionHead } from "../../../common/contracts/session.ts";
import type { NewMessage } from "../../../common/runs/ledger.ts";
import { type Described, describeFile, python } from "../../common/state-db/read-files.ts";
import { type Follower, follow, startApi, type TestApi } from "../../helpers/api-server.ts";
import { eventually } from "../../helpers/wait.ts";

/** An api over a home that other programs write to, and what tests ask of it. */
export interface Desk {
  readonly api: TestApi;
  readonly home: string;
  /** The default profile's state.db. */
  readonly file: string;
  fileOf(profile: string): string;
  call<T>(method: string, path: string, body?: unknown, headers?: Record<string, string>): Promise<Reply<T>>;
  session(id: string): Promise<Session>;
  head(id: string): Promise<SessionHead>;
  page(id: string, query?: string): Promise<MessagePage>;
  /** All messages, page by page from the end, oldest first. */
  messages(id: string, limit?: number): Promise<readonly Message[]>;
  /** The list, all pages of it. */
  sessions(query?: string): Promise<readonly Session[]>;
  /** Resolves with the head once the session is counted and its count is that of its full read (P13). */
  settled(id: string, fits?: (head: SessionHead) => boolean): Promise<SessionHead>;
  /** Resolves when the session is listed. */
  listed(id: string): Promise<Session>;
  newSession(body?: object): Promise<string>;
  /** A turn of ours: a prompt, accepted and committed with what answers it. */
  turn(id: string, text: string, answer?: readonly NewMessage[] | string): Promise<string>;
  start(id: string, text: string): Promise<Run>;
  /** Commits a run that was accepted. */
  finish(runId: string, answer?: readonly NewMessage[] | string): Promise<void>;
  /** Follows the session's events from now on. */
  events(id: string): Promise<SessionEvents>;
  close(): Promise<void>;
}

export interface Reply<T> {
  readonly status: number;
  readonly body: T;
  readonly headers: Headers;
}

export type Refusal = {
  readonly error: { readonly code: string; readonly message: string; readonly details?: unknown };
};
export type Cut = CutAnswer;

export interface SessionEvents {
  /** `session_changed` events so far. */
  changes(): readonly { readonly reason: string; readonly origin?: string; readonly session: Session }[];
  /** Resolves with the first one, past or future, that fits. */
  until(
    fits: (change: { reason: string; origin?: string; session: Session }) => boolean,
  ): Promise<{ reason: string; origin?: string; session: Session }>;
  drop(): void;
}

const homes: string[] = [];
afterAll(() => {
  for (const home of homes) rmSync(home, { recursive: true, force: true });
});

/** A home with a state.db made by the independent writer; no file without options. */
export const newHome = (...options: string[]): string => {
  const home = mkdtempSync(join(tmpdir(), "talaria-desk-"));
  homes.push(home);
  if (options.length > 0) python(join(home, "state.db"), ...options);
  return home;
};

/** Makes the state.db of a named profile. */
export const addProfile = (home: string, name: string, ...options: string[]): string => {
  const folder = join(home, "profiles", name);
  mkdirSync(folder, { recursive: true });
  const path = join(folder, "state.db");
  if (options.length > 0) python(path, ...options);
  return path;
};

export const openDesk = async (home: string = newHome()): Promise<Desk> => {
  const api = await startApi({ home });
  const call = async <T>(
    method: string,
    path: string,
    body?: unknown,
    headers: Record<string, string> = {},
  ): Promise<Reply<T>> => {
    const answer = await fetch(`${api.url}${path}`, {
      method,
      headers: { ...(body === undefined ? {} : { "content-type": "application/json" }), ...headers },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    const text = await answer.text();
    const isJson = answer.headers.get("content-type")?.includes("json") === true;
    return {
      status: answer.status,
      body: (isJson && text !== "" ? JSON.parse(text) : text) as T,
      headers: answer.headers,
    };
  };
  const must = async <T>(path: string): Promise<T> => {
    const { status, body } = await call<T>("GET", path);
    if (status !== 200) throw new Error(`${path}: ${status} ${JSON.stringify(body)}`);
    return body;
  };
  const desk: Desk = {
    api,
    home,
    file: join(home, "state.db"),
    fileOf: (profile) =>
      profile === "default" ? join(home, "state.db") : join(home, "profiles", profile, "state.db"),
    call,
    session: async (id) => (await must<{ session: Session }>(`/api/sessions/${id}`)).session,
    head: (id) => must(`/api/sessions/${id}/head`),
    page: (id, query = "") => must(`/api/sessions/${id}/messages${query}`),
    async messages(id, limit = 50) {
      const pages: (readonly Message[])[] = [];
      for (let cursor: string | null = ""; cursor !== null; ) {
        const before: string = cursor === "" ? "" : `&before=${encodeURIComponent(cursor)}`;
        const page: MessagePage = await desk.page(id, `?limit=${limit}${before}`);
        pages.unshift(page.data);
        cursor = page.next_cursor;
      }
      return pages.flat();
    },
    async sessions(query = "") {
      const found: Session[] = [];
      for (let cursor: string | null = ""; cursor !== null; ) {
        const at: string = cursor === "" ? "" : `&cursor=${encodeURIComponent(cursor)}`;
        const page: { data: Session[]; next_cursor: string | null } = await must(
          `/api/sessions?limit=200${query}${at}`,
        );
        found.push(...page.data);
        cursor = page.next_cursor;
      }
      return found;
    },
    async settled(id, fits = () => true) {
      let last = "nothing yet";
      return eventually(`the head of ${id} to be that of its messages`, async () => {
        const head = await desk.head(id);
        const { length } = await desk.messages(id, 200);
        last = `${JSON.stringify(head)}, ${length} messages`;
        return !head.stale && head.message_count === length && fits(head) ? head : undefined;
      }).catch((error: Error) => {
        throw new Error(`${error.message}: ${last}`);
      });
    },
    listed: (id) =>
      eventually(`${id} in the list`, async () => {
        const { status, body } = await call<{ session: Session }>("GET", `/api/sessions/${id}`);
        return status === 200 ? body.session : undefined;
      }),
    newSession: async (body = {}) =>
      (await call<{ session: Session }>("POST", "/api/sessions", body)).body.session.id,
    async start(id, text) {
      const { status, body } = await call<{ run: Run }>("POST", `/api/sessions/${id}/runs`, { input: text });
      if (status !== 202) throw new Error(`the run was not accepted: ${status} ${JSON.stringify(body)}`);
      return body.run;
    },
    async turn(id, text, answer = `answer to ${text}`) {
      const run = await desk.start(id, text);
      await desk.finish(run.id, answer);
      return run.id;
    },
    async finish(runId, answer = "done") {
      const claim = await api.db.write.claimRun(runId, "test", null, Number.MAX_SAFE_INTEGER);
      if (claim.kind === "finish_first") {
        await api.lifecycle.settler.finishFirst(claim.runId);
        return desk.finish(runId, answer);
      }
      if (claim.kind !== "claimed") throw new Error(`the ledger answered ${claim.kind}`);
      const { record, minSeq } = claim;
      await api.journal.claim(
        {
          sessionId: record.run.session_id,
          runId,
          generation: record.generation,
          attempt: record.run.attempt,
        },
        minSeq,
      );
      const messages: readonly NewMessage[] =
        typeof answer === "string" ? [{ role: "assistant", content: answer, status: "complete" }] : answer;
      const result = await api.db.write.commitRun(runId, record.generation, {
        ...{ status: "completed", messages, usage: null, error: null },
      });
      if (result.kind !== "committed") throw new Error(`the ledger answered ${result.kind}`);
      await api.lifecycle.settler.release(result, { view: "complete", lastRunSeq: 0 });
    },
    events: async (id) => eventsOf(await follow(`${api.url}/api/sessions/${id}/events`)),
    close: () => api.close(),
  };
  return desk;
};

/** A desk at which every conversation of the file is listed, and their ids, oldest first. */
export const openListed = async (
  home: string,
): Promise<{ readonly desk: Desk; readonly ids: readonly string[] }> => {
  const desk = await openDesk(home);
  const ids = conversationsOf(desk.file);
  await Promise.all(ids.map((id) => desk.listed(id)));
  return { desk, ids };
};

const eventsOf = async (follower: Follower): Promise<SessionEvents> => {
  await follower.until(1);
  type Change = { reason: string; origin?: string; session: Session };
  const changes = (): Change[] =>
    follower.frames
      .filter(({ event }) => event === "session_changed")
      .map(({ data }) => JSON.parse(data) as Change);
  return {
    changes,
    async until(fits) {
      for (;;) {
        const found = changes().find(fits);
        if (found !== undefined) return found;
        await follower.until(follower.frames.length + 1);
      }
    },
    drop: () => follower.drop(),
  };
};

/** What a person can tell of messages. */
export const told = (messages: readonly (Message | ContextMessage)[]): readonly string[] =>
  messages.map((message) => {
    const call =
      "tool_call_id" in message ? message.tool_call_id : "toolCallId" in message ? message.toolCallId : "";
    return `${message.role}|${message.content}|${call ?? ""}`;
  });

/** Ids, and proof that none comes twice. */
export const idsOf = (messages: readonly Message[]): readonly string[] => {
  const ids = messages.map(({ id }) => id);
  if (new Set(ids).size !== ids.length) throw new Error(`a message comes twice: ${ids.join(", ")}`);
  return ids;
};

/** Rows of a state.db as they lie there, whole. */
export const rowsOf = (path: string, where = "1"): readonly Record<string, unknown>[] => {
  const db = new Database(path, { readonly: true });
  try {
    return db.prepare(`SELECT * FROM messages WHERE ${where} ORDER BY id`).all() as Record<string, unknown>[];
  } finally {
    db.close();
  }
};

export const describedSession = (path: string, id: string): Described["sessions"][number] => {
  const found = describeFile(path).sessions.find((session) => session.id === id);
  if (found === undefined) throw new Error(`the file has no session ${id}`);
  return found;
};

/** Ids of the file's conversations, oldest first. */
export const conversationsOf = (path: string): readonly string[] =>
  describeFile(path)
    .sessions.filter(({ source }) => source !== "subagent")
    .map(({ id }) => id);

/** A copy of a state.db, WAL and all, as a backup makes it. */
export const backUp = async (path: string): Promise<string> => {
  const copy = join(mkdtempSync(join(tmpdir(), "talaria-backup-")), "state.db");
  homes.push(join(copy, ".."));
  const db = new Database(path, { readonly: true });
  try {
    await db.backup(copy);
  } finally {
    db.close();
  }
  return copy;
};

/** Puts a backup in a file's place, the way `mv` does: another inode. */
export const restore = (backup: string, path: string): void => {
  copyFileSync(backup, `${path}.new`);
  for (const suffix of ["-wal", "-shm"]) rmSync(path + suffix, { force: true });
  renameSync(`${path}.new`, path);
};
