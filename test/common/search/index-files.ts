import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll } from "@jest/globals";
import Database from "better-sqlite3";
import { openIndexOps, openSearchOps } from "../../../common/search/module.ts";
import type { IndexOps, SearchHit, SearchOps } from "../../../common/search/port.ts";

const folders: string[] = [];
const closers: (() => void)[] = [];
afterAll(() => {
  for (const close of closers) close();
  for (const folder of folders) rmSync(folder, { recursive: true, force: true });
});

export const newSearchPath = (): string => {
  const folder = mkdtempSync(join(tmpdir(), "talaria-search-"));
  folders.push(folder);
  return join(folder, "search.db");
};

export interface Index extends IndexOps, SearchOps {
  readonly path: string;
  /** Every step until there is no more; answers how many documents were written. */
  fill(stateDb: string, profile?: string, maxRows?: number): number;
  /** What a search of one file finds. */
  find(q: string, stateDb: string): readonly SearchHit[];
}

/** Both sides of a search.db, without threads; closed when the tests of the file are over. */
export const openIndex = (path = newSearchPath()): Index => {
  const index = openIndexOps(path);
  const search = openSearchOps(path);
  closers.push(() => {
    index.db.close();
    search.db.close();
  });
  return {
    ...index.ops,
    ...search.ops,
    path,
    fill(stateDb, profile = "default", maxRows = 500) {
      for (let written = 0; ; ) {
        const step = index.ops.indexSome(profile, stateDb, maxRows);
        if (step.state !== "ok") throw new Error(step.state);
        written += step.indexed;
        if (!step.more) return written;
      }
    },
    find: (q, stateDb) => search.ops.search({ q, limit: 50, paths: { default: stateDb } }).hits,
  };
};

/** A session with these messages at the end of a state.db, as another program would write them; answers their row ids. */
export const say = (
  path: string,
  sessionId: string,
  texts: readonly string[],
  role = "user",
): readonly number[] => {
  const db = new Database(path);
  try {
    db.prepare("INSERT OR IGNORE INTO sessions (id, source, started_at) VALUES (?, 'cli', 1790000000)").run(
      sessionId,
    );
    const insert = db.prepare(
      "INSERT INTO messages (session_id, role, content, timestamp) VALUES (?, ?, ?, 1790000000.5)",
    );
    return texts.map((text) => Number(insert.run(sessionId, role, text).lastInsertRowid));
  } finally {
    db.close();
  }
};

/** The matched pieces of a snippet. */
export const matched = ({ snippet, matches }: SearchHit): readonly string[] =>
  matches.map(([start, end]) => snippet.slice(start, end));

export const countDocs = (path: string): { docs: number; words: number } => {
  const db = new Database(path, { readonly: true });
  try {
    return {
      docs: db.prepare("select count(*) from docs").pluck().get() as number,
      words: db.prepare("select count(*) from words_docsize").pluck().get() as number,
    };
  } finally {
    db.close();
  }
};
