-- Raised by every compression of the session's model context, and by every cut: what was worked out from an older one is not applied.
alter table sessions add column context_revision integer not null default 0;

-- Versions of sessions' model contexts: a text in place of the messages that it stands for. None is ever changed.
create table contexts (
  session_id text not null references sessions (id) on delete cascade,
  -- The context revision that it became.
  version integer not null,
  -- What made it: a job, or a run in its course.
  job_id text,
  run_id text,
  summary text not null,
  -- Keys of the messages that the summary stands for, one behind the other (compression/keys.ts).
  covered text not null,
  covered_count integer not null,
  -- The first message behind it, where people see the border; null: none.
  border_id text,
  focus text,
  result_budget integer not null,
  tokens_before integer not null,
  tokens_after integer not null,
  created_at real not null,
  primary key (session_id, version)
) strict;
create index contexts_by_run on contexts (run_id) where run_id is not null;
