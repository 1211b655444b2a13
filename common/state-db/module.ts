import type { StoreOps } from "../sqlite/protocol.ts";
import { createStateDbOps } from "./append.ts";
import type { StateDbOps } from "./port.ts";

/** Open files at most; profiles beyond that are opened again when their turn comes. */
const MAX_OPEN = 32;

/** Runs inside a store thread: the state.db files of all profiles, each opened with its first turn. */
export const createOps = (): StoreOps & { readonly ops: CanonicalOps } => {
  const files = new Map<string, StateDbOps>();
  const fileAt = (path: string): StateDbOps => {
    const known = files.get(path);
    files.delete(path);
    const file = known ?? createStateDbOps(path);
    files.set(path, file);
    const [oldest] = files.keys();
    if (files.size > MAX_OPEN && oldest !== undefined) {
      files.get(oldest)?.close();
      files.delete(oldest);
    }
    return file;
  };
  return {
    db: {
      exec: () => undefined,
      close: () => {
        for (const file of files.values()) file.close();
      },
    },
    ops: {
      appendTurn: (path, input) => fileAt(path).appendTurn(input),
      rewindOwn: (path, cut) => fileAt(path).rewindOwn(cut),
      deleteOwn: (path, grave) => fileAt(path).deleteOwn(grave),
      setTitle: (path, sessionId, title, source) => fileAt(path).setTitle(sessionId, title, source),
    },
  };
};

/** The operations of `StateDbOps`, each on the file that it is given. */
export type CanonicalOps = {
  [Op in Exclude<keyof StateDbOps, "close">]: (
    path: string,
    ...args: Parameters<StateDbOps[Op]>
  ) => ReturnType<StateDbOps[Op]>;
};
