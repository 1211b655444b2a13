-- Runs that ended for reasons that were not the message's, the newest first. The list of codes is that of runs/dead-ops.ts.
create index runs_dead on runs (ended_at desc, id desc)
  where error_code in ('worker_crashed', 'interrupted', 'profile_unavailable', 'provider_unavailable', 'error');

-- Attempts of a background job that ended because their worker was told to stop: they do not count as crashed.
alter table jobs add column handed_back integer not null default 0;
