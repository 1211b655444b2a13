-- What is known of the session in its profile's state.db. A message is shown either from there (anchor is null, row_id names
-- its row) or from here, at a place among the store's rows (anchor).
alter table sessions add column store_id text;
-- The store's rows up to store_cursor are counted in store_count; store_time is the newest time among them.
alter table sessions add column store_cursor integer not null default 0;
alter table sessions add column store_count integer not null default 0;
alter table sessions add column store_time real;
-- 0: store_count is a writer's guess until somebody has counted.
alter table sessions add column counted integer not null default 1;
-- What the store's session row said last, to notice renames and rewinds.
alter table sessions add column store_title text;
alter table sessions add column store_mark text;
-- The store's rows up to here are represented by imported messages.
alter table sessions add column base_cursor integer not null default 0;
alter table sessions add column import_digest text;
alter table sessions add column last_role text;
alter table sessions add column last_preview text;
alter table sessions add column seen_count integer not null default 0;
alter table sessions add column forked_from text;
create unique index sessions_by_store on sessions (profile, store_id) where store_id is not null;
create index sessions_by_source on sessions (source, activity_at desc, id desc);
create index sessions_imported on sessions (id, import_digest) where import_digest is not null;
create index sessions_uncounted on sessions (profile, activity_at desc) where counted = 0;

alter table messages add column row_id integer;
alter table messages add column uid text;
alter table messages add column anchor integer;
-- Nothing is bound yet: 9000000000000000 stands behind every row. The turns are brought into state.db once more below; that
-- changes nothing there and tells us their rows.
update messages set anchor = 9000000000000000;
create index messages_local on messages (session_id, anchor, turn, idx) where anchor is not null;
create index messages_bound on messages (session_id, row_id) where row_id is not null;
create index messages_by_uid on messages (session_id, uid) where uid is not null;
insert or ignore into outbox (kind, session_id, run_id, due_at)
  select 'sync', session_id, id, 0 from runs where ended_at is not null;

update sessions set seen_count = message_count;
update sessions set (last_role, last_preview) = (
  select m.role, substr(m.content, 1, 160) from messages m where m.session_id = sessions.id
  order by m.turn desc, m.idx desc limit 1);

-- Rows that undo, retry, edit, truncate or clear took away: those above keep_through up to cut_row_id, and later copies of them.
create table cuts (
  id integer primary key autoincrement,
  session_id text not null references sessions (id) on delete cascade,
  kind text not null,
  keep_through integer not null,
  cut_row_id integer not null,
  -- Device and inode of the file the row ids are of; null: there was none.
  file text,
  removed text not null,
  -- Rows among them that we wrote: they are taken out of the store's history, too. done: that has happened.
  own text not null default '[]',
  done integer not null default 1,
  at real not null
) strict;
create index cuts_by_session on cuts (session_id);
create index cuts_undone on cuts (id) where done = 0;

-- Tells for a run what its context included, so that a second attempt sees the same.
alter table runs add column context_row_id integer;

alter table tombstones add column store_id text;
-- Rows up to here are of the deleted session; a session started after deleted_at is another one.
alter table tombstones add column max_row_id integer not null default 0;
-- A session of another program is hidden, never deleted.
alter table tombstones add column hidden integer not null default 0;
-- Rows that we wrote, to be deleted from state.db; done: that has happened.
alter table tombstones add column own text not null default '[]';
alter table tombstones add column done integer not null default 1;
create index tombstones_by_store on tombstones (profile, store_id);
create index tombstones_undone on tombstones (session_id) where done = 0;

create table stores (
  profile text primary key,
  state text not null,
  version integer,
  newer integer not null default 0,
  -- Device and inode of the file; watermark: the highest row id that was looked at.
  file text,
  watermark integer,
  -- The watermark that the search index has reached.
  indexed_to integer not null default -1,
  changed_at real not null
) strict, without rowid;

create table leases (
  name text primary key,
  holder text not null,
  until real not null
) strict, without rowid;
