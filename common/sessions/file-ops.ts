import type Database from "better-sqlite3";
import type { Clock } from "../base/clock.ts";
import type { StoreState } from "../contracts/session.ts";

/** What was last seen of a profile's state.db. */
export interface StoreFile {
  readonly profile: string;
  readonly state: StoreState;
  readonly version: number | null;
  readonly newer: boolean;
  readonly file: string | null;
  readonly watermark: number | null;
}

interface StoreRow {
  readonly profile: string;
  readonly state: StoreState;
  readonly version: number | null;
  readonly newer: number;
  readonly file: string | null;
  readonly watermark: number | null;
  readonly indexed_to: number;
}

/** The state.db files of the profiles, and which process looks after what; run inside the store's threads. */
export const createFileWriteOps = (db: Database.Database, now: Clock) => {
  const putStore = db.prepare(
    `insert into stores (profile, state, version, newer, file, watermark, changed_at)
     values (@profile, @state, @version, @newer, @file, @watermark, @at)
     on conflict (profile) do update set state = excluded.state, version = excluded.version, newer = excluded.newer,
       indexed_to = case when file is excluded.file then indexed_to else -1 end,
       file = excluded.file, watermark = excluded.watermark, changed_at = excluded.changed_at`,
  );
  const reach = db.prepare("update stores set indexed_to = @watermark where profile = @profile");
  const lease = db.prepare(
    `insert into leases (name, holder, until) values (@name, @holder, @until)
     on conflict (name) do update set holder = excluded.holder, until = excluded.until
     where leases.holder = excluded.holder or leases.until < @now`,
  );
  const release = db.prepare<[string, string]>("delete from leases where name = ? and holder = ?");

  return {
    putStore: (store: StoreFile): void => {
      putStore.run({ ...store, newer: Number(store.newer), at: now() });
    },
    /** The search index holds every row up to here. */
    markIndexed: (profile: string, watermark: number): void => {
      reach.run({ profile, watermark });
    },

    /** True while `holder` leads `name`; seconds. A leader that stops renewing is followed by whoever asks next. */
    takeLease: (name: string, holder: string, seconds: number): boolean =>
      lease.run({ name, holder, until: now() + seconds, now: now() }).changes > 0,
    dropLease: (name: string, holder: string): void => {
      release.run(name, holder);
    },
  };
};

export const createFileReadOps = (db: Database.Database) => {
  const stores = db.prepare<[], StoreRow & { sessions: number }>(
    `select t.*, (select count(*) from sessions s where s.profile = t.profile and s.store_id is not null) as sessions
     from stores t order by t.profile`,
  );
  const store = db.prepare<[string], StoreRow>("select * from stores where profile = ?");
  const toFile = (row: StoreRow): StoreFile => ({
    profile: row.profile,
    state: row.state,
    version: row.version,
    newer: row.newer !== 0,
    file: row.file,
    watermark: row.watermark,
  });
  const isIndexed = (row: StoreRow): boolean => row.state !== "ok" || row.indexed_to >= (row.watermark ?? 0);

  return {
    getStore(profile: string): StoreFile | null {
      const row = store.get(profile);
      return row === undefined ? null : toFile(row);
    },
    listStores: (): (StoreFile & { sessions: number; indexed: boolean })[] =>
      stores.all().map((row) => ({ ...toFile(row), sessions: row.sessions, indexed: isIndexed(row) })),
    isIndexed(profile: string): boolean {
      const row = store.get(profile);
      return row === undefined || isIndexed(row);
    },
  };
};
