-- When a run was given to the queue; null: it waits here, behind an earlier turn or for its profile's limits.
alter table runs add column released_at real;
update runs set released_at = created_at
where status <> 'queued' or not exists (
  select 1 from runs o where o.session_id = runs.session_id and o.turn < runs.turn
    and o.status in ('queued', 'running', 'waiting', 'cancelling'));
create index runs_held on runs (profile, created_at) where status = 'queued' and released_at is null;
create index runs_open on runs (profile) where ended_at is null and released_at is not null;
create index runs_released on runs (profile, released_at) where released_at is not null;

-- What a profile's config.yaml allowed when it was last read. No row: no limits.
create table profile_limits (
  profile text primary key,
  concurrent_runs integer,
  runs_per_minute integer
) strict, without rowid;
