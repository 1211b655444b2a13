import type { StoreOps } from "../sqlite/protocol.ts";
import { createStateDbOps } from "./append.ts";
import type {
  AppendTurnResult,
  DeleteInput,
  DeleteResult,
  RewindInput,
  RewindResult,
  StateDbOps,
  TitleResult,
  TurnInput,
} from "./port.ts";

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
      rewindOwn: (path, input) => fileAt(path).rewindOwn(input),
      deleteOwn: (path, input) => fileAt(path).deleteOwn(input),
      setTitle: (path, sessionId, title, { source }) => fileAt(path).setTitle({ sessionId, title, source }),
    },
  };
};

export type CanonicalOps = {
  appendTurn: (path: string, input: TurnInput) => AppendTurnResult;
  rewindOwn: (path: string, input: RewindInput) => RewindResult;
  deleteOwn: (path: string, input: DeleteInput) => DeleteResult;
  setTitle: (
    path: string,
    sessionId: string,
    title: string,
    options: { readonly source: string },
  ) => TitleResult;
};
