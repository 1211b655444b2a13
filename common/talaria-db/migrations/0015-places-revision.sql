-- Goes up whenever messages of the session come to stand elsewhere: in state.db, or again here. What was worked out from their
-- places before holds no more, and who worked it out looks again.
alter table sessions add column places_revision integer not null default 0;

-- A trigger, so that no statement that moves messages can forget it.
create trigger messages_moved after update of row_id, anchor on messages
when old.row_id is not new.row_id or old.anchor is not new.anchor
begin
  update sessions set places_revision = places_revision + 1 where id = new.session_id;
end;
