-- How far the state.db file of each profile is indexed. A changed identity, or a watermark above every id the file ever
-- gave out, is another file: its documents are dropped in steps (dropping = 1) before it is indexed from the start.
create table sources (
  profile text primary key,
  identity text not null,
  watermark integer not null,
  done integer not null,
  dropping integer not null
) strict, without rowid;

-- One searchable message. Its text stays where it is: in the row of the file, or in local_texts (row_id is null).
-- Numbers are never used twice, because cursors are made of them. chars tells a text that was rewritten in place.
create table docs (
  docid integer primary key autoincrement,
  profile text not null,
  session_id text not null,
  row_id integer,
  chars integer not null
) strict;
create unique index docs_row on docs (profile, row_id) where row_id is not null;

-- Messages that are in no state.db.
create table local_texts (
  docid integer primary key,
  profile text not null,
  session_id text not null,
  message_id text not null,
  role text not null,
  text text not null,
  created_at real not null,
  unique (session_id, message_id)
) strict;
create index local_texts_profile on local_texts (profile);

create table marks (name text primary key, value text not null) strict, without rowid;

-- Words only (words.ts says which); the prefix indexes keep a first letter as cheap as a whole word.
create virtual table words using fts5 (
  text,
  content = '',
  contentless_delete = 1,
  prefix = '1 2 3',
  tokenize = 'unicode61 remove_diacritics 2'
);
