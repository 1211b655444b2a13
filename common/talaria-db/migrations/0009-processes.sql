-- Commands that outlive the call that started them, and what became of their ends (background-jobs B-35 to B-39).
create table processes (
  id text primary key,
  -- Taken from the run that started it; its end is told here (B-35).
  session_id text not null references sessions (id) on delete cascade,
  profile text not null,
  run_id text not null,
  command text not null,
  worker text not null,
  state text not null,
  notify integer not null,
  started_at real not null,
  -- When its worker last said that it has it; a worker that says nothing is gone, and the process with it.
  seen_at real not null,
  -- Who asked for its end: "model", "person".
  kill_by text,
  ended_at real,
  reason text,
  exit_code integer,
  signal text,
  -- Beginning and end of what it printed, redacted.
  output text not null default '',
  -- none, pending, started, told.
  completion text not null default 'none',
  wake_run_id text
) strict, without rowid;
create index processes_by_session on processes (session_id, started_at);
create index processes_running on processes (worker, seen_at) where state = 'running';
create index processes_pending on processes (session_id, ended_at) where completion = 'pending';
create index processes_ended on processes (ended_at) where ended_at is not null;

-- Who began the turn: "user", or what the system began it for ("process").
alter table runs add column source text not null default 'user';
-- Null: whoever `role` says; "process": the system, for the end of a process. Never shown as typed by a person (B-38).
alter table messages add column source text;
-- Turns that the system begins wait: the last one found no usable key. The state of the profile's configuration it ran with, '' when
-- that is not known (B-39).
alter table sessions add column wake_paused text;
create index sessions_wake_paused on sessions (profile, wake_paused) where wake_paused is not null;
