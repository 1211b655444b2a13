import type { StoreOps } from "../../sqlite/protocol.ts";
import { readChanges, readHeads, readMaxRowId, readRowsAfter } from "./changes.ts";
import { countAfter, countStep } from "./count.ts";
import { createReadFiles } from "./files.ts";
import { inspectFile } from "./inspect.ts";
import { allConversations, listConversations } from "./list.ts";
import { locateRow } from "./locate.ts";
import { readModelRows } from "./model.ts";
import { readDisplayPage, readLastDisplay } from "./page.ts";
import type { StateDbReadOps } from "./port.ts";
import { readSegments, readSessionInfo } from "./sessions.ts";
import { readIdentities, readRowStates } from "./states.ts";
import { dataVersionOf, generationOf } from "./versions.ts";

/**
 * Runs inside a store thread of the role "read": the state.db files of all profiles, each opened when it is first asked
 * for. Polls wait for nobody's lock for long, because the files share the thread.
 */
export const createStateDbReadOps = (): StoreOps & { readonly ops: StateDbReadOps } => {
  const files = createReadFiles();
  return {
    db: { exec: () => undefined, close: () => files.close() },
    ops: {
      inspect: (path) => files.use(path, "poll", inspectFile),
      listSessions: (path, query) => files.use(path, "read", (file) => listConversations(file, query)),
      sessionInfo: (path, id) => files.use(path, "read", (file) => readSessionInfo(file, id)),
      segments: (path, id) => files.use(path, "read", (file) => readSegments(file, id)),
      displayPage: (path, segments, query) =>
        files.use(path, "read", (file) => readDisplayPage(file, segments, query)),
      rowsAfter: (path, segments, cursor, limit) =>
        files.use(path, "read", (file) => readRowsAfter(file, segments, cursor, limit)),
      changesSince: (path, watermark, limit) =>
        files.use(path, "poll", (file) => readChanges(file, watermark, limit)),
      dataVersion: (path) =>
        files.use(path, "poll", (file) => ({ version: dataVersionOf(file), generation: generationOf(file) })),
      heads: (path, ids) => files.use(path, "poll", (file) => readHeads(file, ids)),
      modelRows: (path, tipId, options) =>
        files.use(path, "read", (file) => readModelRows(file, tipId, options)),
      countDisplay: (path, segments, query) =>
        files.use(path, "read", (file) => countStep(file, segments, query)),
      countAfter: (path, segments, afterRowId, options) =>
        files.use(path, "poll", (file) => countAfter(file, segments, afterRowId, options)),
      lastDisplay: (path, segments, options) =>
        files.use(path, "read", (file) => readLastDisplay(file, segments, options)),
      locate: (path, segments, key, options) =>
        files.use(path, "read", (file) => locateRow(file, segments, key, options)),
      rowStates: (path, ids) => files.use(path, "read", (file) => readRowStates(file, ids)),
      identities: (path, segments, range, limit) =>
        files.use(path, "read", (file) => readIdentities(file, segments, range, limit)),
      maxRowId: (path, segments) => files.use(path, "poll", (file) => readMaxRowId(file, segments)),
      sessionsLight: (path) => files.use(path, "read", allConversations),
    },
  };
};

export const createOps = createStateDbReadOps;
