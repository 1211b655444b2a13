-- Background work on sessions. The id is the idempotence key (kind, session, what it is about).
create table jobs (
  id text primary key,
  kind text not null,
  session_id text not null references sessions (id) on delete cascade,
  profile text not null,
  -- What the job works on: "first", "latest".
  input text not null,
  -- Of the thing it changes, at the moment it was made: the change is refused when it is another one by then.
  input_revision integer not null,
  -- A person asked for it.
  manual integer not null default 0,
  state text not null,
  reason text,
  attempt integer not null default 0,
  worker text,
  created_at real not null,
  started_at real,
  ended_at real
) strict, without rowid;
create index jobs_by_session on jobs (session_id, created_at);
create index jobs_open on jobs (created_at) where state in ('queued', 'running');
create index jobs_ended on jobs (ended_at) where ended_at is not null;

-- Raised by every change of the title, whoever made it.
alter table sessions add column title_revision integer not null default 0;
