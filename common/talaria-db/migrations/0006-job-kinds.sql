-- Background work of several kinds: how far an attempt is, and what came of it; both JSON, bounded by who writes them.
alter table jobs add column progress text;
alter table jobs add column result text;
