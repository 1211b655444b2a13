-- Goes up whenever a row is put or taken again: who told what stood there before leaves the row, however fast it went.
alter table outbox add column version integer not null default 0;
