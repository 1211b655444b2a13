-- What each task of maintenance did last. tick: the job that is at it, alone until the time in `until`; the generation tells apart
-- those that began it, so that one that was overtaken says nothing more.
create table maintenance (
  task text primary key,
  tick text,
  until real not null default 0,
  generation integer not null default 0,
  begun_at real,
  last_ok_at real,
  -- How many things the last one did that went well.
  done integer,
  last_error_at real,
  -- A code; null: the last one went well.
  error text,
  ok integer not null default 0,
  failed integer not null default 0,
  -- How far it has come, where that is a place.
  mark real
) strict, without rowid;
create index archives_by_age on journal_archives (archived_at_ms, session_id);
