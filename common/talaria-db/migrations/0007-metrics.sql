-- When somebody first saw something of the run's answer; null: nobody has, or the attempt that knew is gone.
alter table runs add column first_output_at real;
-- W3C traceparent of the request that the run was accepted with, so that every attempt belongs to its trace; null: there is none.
alter table runs add column traceparent text;

-- How long the stages of ended runs took: a histogram, counted in the transaction that ends a run.
create table run_times (
  stage text not null,
  outcome text not null,
  -- Upper bound in seconds.
  le real not null,
  n integer not null,
  seconds real not null,
  primary key (stage, outcome, le)
) strict, without rowid;
