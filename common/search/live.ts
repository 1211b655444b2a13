import type { ReadFiles } from "../state-db/read/files.ts";
import type { Trouble } from "../state-db/read/port.ts";
import type { StateRow } from "../state-db/read/rows.ts";
import type { StatePaths } from "./port.ts";
import { rowsWithIds } from "./state-rows.ts";

/** Rows as their files have them now, for the length of one call. */
export interface LiveRows {
  /** Rows by `keyOf`; what is gone, not to be seen or not readable is left out. */
  read(docs: readonly RowRef[]): ReadonlyMap<string, StateRow>;
  /** Files that could not be read; they are not tried again. */
  readonly unread: Record<string, Trouble>;
}

export interface RowRef {
  readonly profile: string;
  readonly rowId: number | null;
}

export const keyOf = ({ profile, rowId }: RowRef): string => `${profile}:${rowId}`;

export const readLive = (files: ReadFiles, paths: StatePaths): LiveRows => {
  const unread: Record<string, Trouble> = {};
  return {
    unread,
    read(docs) {
      const found = new Map<string, StateRow>();
      const wanted = docs.filter(({ rowId }) => rowId !== null);
      for (const [profile, refs] of Map.groupBy(wanted, (doc) => doc.profile)) {
        const path = Object.hasOwn(paths, profile) ? paths[profile] : undefined;
        if (path === undefined || Object.hasOwn(unread, profile)) continue;
        const ids = refs.flatMap(({ rowId }) => rowId ?? []);
        const answer = files.use(path, "poll", (file) => rowsWithIds(file, ids));
        if (answer.state !== "ok") unread[profile] = answer.state;
        else for (const row of answer.value) found.set(keyOf({ profile, rowId: row.rowId }), row);
      }
      return found;
    },
  };
};
