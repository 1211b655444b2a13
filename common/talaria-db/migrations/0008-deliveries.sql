-- Who is told by HTTP when runs end: of a session, or of one run.
create table webhooks (
  id text primary key,
  session_id text not null references sessions (id) on delete cascade,
  -- Null: every run of the session.
  run_id text references runs (id) on delete cascade,
  url text not null,
  -- JSON array of event names.
  events text not null,
  secret text not null,
  -- Why nothing is sent to it any more; null: it is in use.
  off_reason text,
  created_at real not null
) strict, without rowid;
create index webhooks_of_session on webhooks (session_id, created_at) where run_id is null;
create index webhooks_of_runs on webhooks (session_id, created_at) where run_id is not null;
create index webhooks_by_run on webhooks (run_id) where run_id is not null;
create index webhooks_of_runs_by_age on webhooks (created_at) where run_id is not null;

-- Browsers that are told by Web Push.
create table push_subscriptions (
  -- Derived from the endpoint: one browser is one row, however often it says so.
  id text primary key,
  -- The principal that it belongs to ("local", "login:<hash>").
  owner text not null,
  endpoint text not null,
  p256dh text not null,
  auth text not null,
  created_at real not null
) strict, without rowid;
create index push_by_owner on push_subscriptions (owner, created_at);

-- One message to one of them. The id is the message's: the same in every attempt, so that receivers can drop repeats.
create table deliveries (
  id text primary key,
  webhook_id text references webhooks (id) on delete cascade,
  subscription_id text references push_subscriptions (id) on delete cascade,
  session_id text not null references sessions (id) on delete cascade,
  run_id text not null references runs (id) on delete cascade,
  profile text not null,
  event text not null,
  state text not null,
  -- The fence: raised by every claim.
  attempt integer not null default 0,
  -- Attempts that came to an end, since it was made or asked for again.
  tries integer not null default 0,
  -- Claims in a row whose worker never said what became of them.
  lost integer not null default 0,
  worker text,
  -- What the last attempt was answered.
  http_status integer,
  reason text,
  created_at real not null,
  due_at real not null,
  ended_at real,
  check ((webhook_id is null) <> (subscription_id is null))
) strict, without rowid;
create index deliveries_open on deliveries (due_at) where state in ('queued', 'sending');
create index deliveries_dead on deliveries (ended_at, id) where state = 'dead';
create index deliveries_ended on deliveries (ended_at) where ended_at is not null;
create index deliveries_by_webhook on deliveries (webhook_id, created_at, id) where webhook_id is not null;
create index deliveries_by_subscription on deliveries (subscription_id) where subscription_id is not null;
create index deliveries_by_session on deliveries (session_id);
create index deliveries_by_run on deliveries (run_id);
