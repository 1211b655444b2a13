import { openDatabase } from "../sqlite/open.ts";
import type { StoreOps, StoreRole } from "../sqlite/protocol.ts";
import { createReadFiles } from "../state-db/read/files.ts";
import { openSearchDatabase } from "./database.ts";
import { createIndexOps } from "./index-ops.ts";
import type { IndexOps, SearchOps } from "./port.ts";
import { createSearchOps } from "./search-ops.ts";

/** What runs inside the thread that fills search.db, and inside the one that searches it. */
export const openIndexOps = (path: string): StoreOps & { readonly ops: IndexOps } => {
  const db = openSearchDatabase(path);
  const files = createReadFiles();
  return { db: closingBoth(db, files), ops: { ...createIndexOps(db, files) } };
};

/** The file must be there: open it for indexing first. */
export const openSearchOps = (path: string): StoreOps & { readonly ops: SearchOps } => {
  const db = openDatabase(path, { readonly: true });
  const files = createReadFiles();
  return { db: closingBoth(db, files), ops: { ...createSearchOps(db, files) } };
};

/** Indexing makes its own transactions ("own"): it reads its files before it takes the lock. */
export const createOps = (role: StoreRole, options: { readonly path: string }) =>
  role === "own" ? openIndexOps(options.path) : openSearchOps(options.path);

const closingBoth = (db: StoreOps["db"], files: { close(): void }): StoreOps["db"] => ({
  exec: (sql) => db.exec(sql),
  close() {
    files.close();
    db.close();
  },
});
