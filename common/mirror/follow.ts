import pLimit from "p-limit";
import type { StoreFile } from "../sessions/file-ops.ts";
import type { FoundConversation } from "../sessions/store-ops.ts";
import type { ConversationInfo, SessionChange } from "../state-db/read/port.ts";
import { fileOf } from "../state-db/read/versions.ts";
import { watchStateDb } from "../state-db/read/watch.ts";
import { valueIn } from "../transcript/store.ts";
import { type BringUp, markOf, mayHaveChanged } from "./bring-up.ts";
import type { MirrorDeps } from "./deps.ts";

const ADOPT_CHUNK = 500;
const PARALLEL = 4;
/** A look at all sessions follows a change after its own time this often at most: it costs what the file has sessions. */
const SURVEY_PAUSE = 10;
const SURVEY_LEAST_MS = 500;
/**
 * How often all sessions are compared although nothing seems to have changed: a change that met a count in the middle, or a file that
 * could not be read at that moment, is told of by nothing else.
 */
const LOOK_ROUND_MS = 10_000;
/** What one session's count may hold up of the others; a longer one is done in the background. */
const COUNT_MS = 250;

/**
 * Follows one profile's state.db until `signal` aborts: rows that were added are told of within the look that finds them, at a
 * cost that depends on them alone; renames, rewinds and deletions by a survey of the sessions' light columns afterwards.
 */
export const followStore = async (
  deps: MirrorDeps,
  bringUp: BringUp,
  profile: string,
  signal: AbortSignal,
): Promise<void> => {
  const { read, write, stores, log } = deps;
  const { call } = stores;
  const path = await stores.pathOf(profile);
  const limit = pLimit(PARALLEL);
  const known = await read.getStore(profile);
  let file: StoreFile = known ?? {
    ...{ profile, state: "missing", version: null, newer: false, file: null, watermark: null },
  };
  const keep = async (change: Partial<StoreFile>): Promise<void> => {
    const next = { ...file, ...change };
    if (JSON.stringify(next) === JSON.stringify(file)) return;
    const isNews = next.state !== file.state || next.newer !== file.newer;
    file = next;
    await write.putStore(file);
    if (isNews) deps.hint({ profile });
  };

  const tell = async (sessionIds: readonly string[]): Promise<void> => {
    for (const id of sessionIds) await deps.dispatcher.handle(await write.takeChanges(id));
  };

  /** Sessions of conversations that are not known yet; `seen` where they were there before we came. */
  const adopt = async (found: readonly ConversationInfo[], seen: boolean): Promise<string[]> => {
    const ids: string[] = [];
    const folders = new Map<string, string | null>();
    for (const cwd of new Set(found.flatMap((one) => one.cwd ?? [])))
      folders.set(cwd, await deps.workspace(cwd));
    const listed = found
      .filter(({ kind }) => kind !== "delegate")
      .map((one) => foundOf(one, one.cwd === null ? null : (folders.get(one.cwd) ?? null)));
    for (let from = 0; from < listed.length; from += ADOPT_CHUNK)
      ids.push(...(await write.adoptSessions(profile, listed.slice(from, from + ADOPT_CHUNK), seen)));
    return ids;
  };

  /** Compares all conversations with what is known of them. */
  const survey = async (seen: boolean): Promise<void> => {
    // Before the file: a conversation that is bound while we look is then found there, too, and not taken for a deleted one.
    const marks = new Map((await read.storeMarks(profile)).map((row) => [row.store_id, row]));
    const all = valueIn(await call.sessionsLight(path));
    if (all === null) return; // the look round comes again
    const fresh = await adopt(
      all.filter(({ id }) => !marks.has(id)),
      seen,
    );
    if (fresh.length > 0) deps.hint({ profile });
    const changed = all.flatMap((found) => {
      const row = marks.get(found.id);
      marks.delete(found.id);
      if (row === undefined || row.counted === 0) return [];
      const isOther = row.store_mark !== null && mayHaveChanged(row.store_mark, markOfLight(found));
      const isRenamed = found.title !== null && found.title !== row.store_title;
      return isOther || isRenamed ? [{ sessionId: row.id, title: found.title }] : [];
    });
    const gone = [...marks.values()];
    for (const { id } of gone) if (!(await write.storeSessionGone(id)).removed) await tell([id]);
    if (gone.length > 0) deps.hint({ profile });
    await Promise.all(
      changed.map(({ sessionId, title }) =>
        limit(async () => {
          if ((await bringUp(sessionId, { title, withinMs: COUNT_MS })) !== null) await tell([sessionId]);
        }),
      ),
    );
    if (seen) return;
    await Promise.all(
      fresh.map((id) =>
        limit(async () => {
          if ((await bringUp(id, { withinMs: COUNT_MS })) !== null) await tell([id]);
        }),
      ),
    );
  };

  /** Rows were added to these segments. */
  const appended = async (changes: readonly SessionChange[], newSince: number | null): Promise<boolean> => {
    const roots = new Map<string, string>();
    for (const { sessionId } of changes) {
      const chain = valueIn(await call.segments(path, sessionId));
      if (chain !== null) roots.set(chain.rootId, chain.tipId);
    }
    const owners = await read.ownersOf(profile, [...roots.keys()]);
    await Promise.all(
      owners.map(({ id }) =>
        limit(async () => {
          if ((await bringUp(id, { newSince, withinMs: COUNT_MS })) !== null) await tell([id]);
        }),
      ),
    );
    return owners.length < roots.size;
  };

  let surveyed = 0;
  let wanted: ReturnType<typeof setTimeout> | undefined;
  let running: Promise<void> = Promise.resolve();
  const surveyNow = async (seen = false): Promise<void> => {
    clearTimeout(wanted);
    wanted = undefined;
    const started = performance.now();
    await survey(seen);
    surveyed = performance.now() + Math.max(SURVEY_LEAST_MS, (performance.now() - started) * SURVEY_PAUSE);
  };
  const surveySoon = (): void => {
    wanted ??= setTimeout(
      () => {
        running = surveyNow().catch((err: unknown) =>
          log.warn({ err, profile }, "a survey of state.db failed"),
        );
      },
      Math.max(0, surveyed - performance.now()),
    );
  };

  const learn = async (): Promise<Pick<StoreFile, "state" | "version" | "newer"> & { file: string }> => {
    const info = valueIn(await call.inspect(path));
    if (info === null) throw new Error("state.db changed while it was looked at");
    return { state: "ok", version: info.version, newer: info.newer, file: fileOf(info.generation) };
  };

  /** A copy was put back into the same file: it never gave out row ids that we know. */
  const lacksOurs = async (): Promise<boolean> => {
    const look = valueIn(await call.changesSince(path, await read.highestRow(profile), 1));
    return look?.replaced === true;
  };

  const lookRound = setInterval(() => {
    if (file.state === "ok") surveySoon();
  }, LOOK_ROUND_MS);
  try {
    await watchStateDb({
      path,
      call,
      signal,
      ...(known?.watermark === null || known?.watermark === undefined ? {} : { watermark: known.watermark }),
      onState: async (state) => {
        if (state === "missing" && file.file !== null) {
          log.warn({ profile }, "state.db was removed; what we hold of it is written again");
          await write.storeReplaced(profile, null);
          return keep({ state, file: null, watermark: null });
        }
        if (state !== "ok") return keep({ state });
        // What follows from it is written before the file is known: who dies in between does it again.
        const now = await learn();
        const isReplaced = file.file !== null && (file.file !== now.file || (await lacksOurs()));
        if (isReplaced) await write.storeReplaced(profile, file.file === now.file ? now.file : null);
        else if (file.state !== "ok") await write.storeBack(profile);
        await keep(isReplaced ? { ...now, watermark: null } : now);
        if (file.watermark === null) {
          const today = valueIn(await call.changesSince(path, null, 1));
          await surveyNow(known === null || known.watermark === null);
          if (today !== null) await keep({ watermark: today.watermark });
        } else await surveyNow();
      },
      onChanges: async ({ changes, watermark }) => {
        if (changes.length > 0 && (await appended(changes, file.watermark))) await surveyNow();
        else surveySoon();
        await keep({ watermark });
      },
      onReplaced: async ({ generation, watermark }) => {
        log.warn({ profile }, "another state.db lies at the profile's path; its sessions are read anew");
        const identity = fileOf(generation);
        await write.storeReplaced(profile, identity === file.file ? identity : null);
        await keep({ file: identity, watermark });
        await surveyNow();
      },
      onError: (err) => log.warn({ err, profile }, "state.db could not be followed; looking again"),
    });
  } finally {
    clearInterval(lookRound);
    clearTimeout(wanted);
    await running;
  }
};

const foundOf = (found: ConversationInfo, workspace: string | null): FoundConversation => ({
  storeId: found.id,
  source: found.source,
  title: found.title,
  model: found.model,
  workspace,
  startedAt: found.startedAt,
  lastActivityAt: found.lastActivityAt,
  archived: found.archived,
  pinned: found.pinned,
  forkedFrom: found.forkedFrom,
  countHint: found.messageCountHint,
  mark: markOfLight(found),
});

const markOfLight = (found: ConversationInfo): string =>
  markOf({ rewinds: found.rewindCount, tipId: found.tipId, hint: found.messageCountHint });
