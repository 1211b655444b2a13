create table sessions (
  id text primary key,
  profile text not null,
  title text,
  title_source text,
  model text,
  workspace text,
  source text not null,
  pinned integer not null default 0,
  archived integer not null default 0,
  created_at real not null,
  updated_at real not null,
  activity_at real not null,
  last_message_at real,
  message_count integer not null default 0,
  revision integer not null default 1,
  active_run_id text,
  -- The fence of the journal: raised by every claim, never lowered, outlives Redis and (in tombstones) the session.
  generation integer not null default 0,
  -- Highest journal position known to be used, so that an emptied Redis goes on after it.
  journal_seq integer not null default 0,
  next_turn integer not null default 1
) strict;
create index sessions_by_activity on sessions (activity_at desc, id desc);
create index sessions_by_profile on sessions (profile, activity_at desc, id desc);

create table tombstones (
  session_id text primary key,
  profile text not null,
  generation integer not null,
  deleted_at real not null
) strict;

create table runs (
  id text primary key,
  session_id text not null references sessions (id) on delete cascade,
  turn integer not null,
  profile text not null,
  model text,
  status text not null,
  recovery text not null,
  attempt integer not null default 0,
  -- Executions in a row that ended without a hand-over and without progress.
  strikes integer not null default 0,
  handed_back integer not null default 0,
  generation integer not null default 0,
  worker text,
  job_id text,
  cancel_requested_at real,
  created_at real not null,
  started_at real,
  ended_at real,
  error_code text,
  error_message text,
  error_hint text,
  error_detail text,
  terminal_state text,
  usage text,
  unique (session_id, turn)
) strict;
create index runs_by_age on runs (created_at desc, id desc);
create index runs_by_end on runs (ended_at);
create index runs_cancelling on runs (cancel_requested_at) where status = 'cancelling';
create index runs_unfinished on runs (session_id, turn)
  where status in ('queued', 'running', 'waiting', 'cancelling');

create table messages (
  session_id text not null references sessions (id) on delete cascade,
  -- Order of the transcript: the turn a run was given when it was accepted, then the place within the turn.
  turn integer not null,
  idx integer not null,
  id text not null unique,
  run_id text,
  role text not null,
  content text not null,
  parts text,
  reasoning text,
  tool_calls text,
  tool_call_id text,
  tool_name text,
  is_error integer,
  status text not null,
  origin text not null,
  created_at real not null,
  primary key (session_id, turn, idx)
) strict, without rowid;

-- Evidence of a run in progress: what must not be done again. Removed by the run's commit.
create table steps (
  run_id text not null references runs (id) on delete cascade,
  step integer not null,
  text text not null,
  reasoning text not null,
  tool_calls text not null,
  usage text not null,
  primary key (run_id, step)
) strict, without rowid;

create table tool_runs (
  run_id text not null references runs (id) on delete cascade,
  step integer not null,
  call_id text not null,
  name text not null,
  state text not null,
  result text,
  is_error integer,
  duration_s real,
  primary key (run_id, step, call_id)
) strict, without rowid;

create table idempotency_keys (
  session_id text not null references sessions (id) on delete cascade,
  key text not null,
  body_hash text not null,
  run_id text not null,
  created_at real not null,
  primary key (session_id, key)
) strict, without rowid;
create index idempotency_by_age on idempotency_keys (created_at);

-- What has been decided and must still be told: to the queue, to the journal, to state.db. A row is leased until due_at.
create table outbox (
  id integer primary key autoincrement,
  kind text not null,
  session_id text not null,
  run_id text not null,
  due_at real not null,
  tries integer not null default 0,
  unique (run_id, kind)
) strict;
create index outbox_due on outbox (due_at);
create index outbox_by_session on outbox (session_id, kind);

create table journal_archives (
  run_id text primary key references runs (id) on delete cascade,
  session_id text not null,
  first_seq integer not null,
  last_seq integer not null,
  last_run_seq integer not null,
  last_attempt integer not null,
  last_generation integer not null,
  entry_count integer not null,
  archived_at_ms integer not null,
  data blob not null
) strict;
create index archives_by_session on journal_archives (session_id, last_seq);

create table settings (
  key text primary key,
  value text not null
) strict, without rowid;

create table logins (
  hash text primary key,
  proof text not null,
  created_at_ms integer not null,
  seen_at_ms integer not null
) strict, without rowid;
