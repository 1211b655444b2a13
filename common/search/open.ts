import { mkdir } from "node:fs/promises";
import { dirname } from "node:path";
import { type Async, startStoreThread } from "../sqlite/client.ts";
import type { IndexOps, SearchOps } from "./port.ts";

/** search.db of this process: a thread that indexes, and one that searches and never waits for it. */
export interface Search extends Async<IndexOps>, Async<SearchOps> {
  close(): Promise<void>;
}

/** Opens (and migrates) `path`, creating it and its folder (0700) when missing. */
export const openSearch = async (path: string): Promise<Search> => {
  await mkdir(dirname(path), { recursive: true, mode: 0o700 });
  const module = new URL("./module.ts", import.meta.url);
  const indexer = await startStoreThread<IndexOps>(module, "own", { path });
  const searcher = await startStoreThread<SearchOps>(module, "read", { path });
  const { indexSome, indexLocal, dropLocal, forget } = indexer.call;
  const { search, sessionsMatching, status, localMark } = searcher.call;
  return {
    indexSome,
    indexLocal,
    dropLocal,
    forget,
    search,
    sessionsMatching,
    status,
    localMark,
    close: async () => {
      await indexer.close();
      await searcher.close();
    },
  };
};
