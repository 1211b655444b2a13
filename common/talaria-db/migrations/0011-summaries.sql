-- Cards that are shown behind a message and are none: no model is told of them. after_id: the last message that one tells of.
create table recaps (
  session_id text not null references sessions (id) on delete cascade,
  after_id text not null,
  kind text not null,
  -- JSON.
  bullets text not null,
  generated_by text not null,
  created_at real not null,
  primary key (session_id, after_id, kind)
) strict, without rowid;

-- What is new in versions that are not installed yet, told in words, per profile that was asked to.
create table update_summaries (
  -- The idempotence key: profile and range.
  id text primary key,
  profile text not null,
  cache_key text not null,
  -- What it is made from; JSON.
  targets text not null,
  state text not null,
  attempt integer not null default 0,
  -- Null until it has ended; JSON.
  result text,
  reason text,
  created_at real not null,
  ended_at real,
  used_at real not null
) strict, without rowid;
create index update_summaries_by_use on update_summaries (used_at);
create index update_summaries_open on update_summaries (created_at) where ended_at is null;
