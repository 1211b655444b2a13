-- Full-text search over messages: an external index over a view, kept by triggers. Left out where SQLite lacks FTS5.

CREATE VIEW messages_fts_src AS
  SELECT id,
    CASE WHEN messages.role='tool' THEN substr(COALESCE(messages.content,''),1,8192) ELSE messages.content END AS content,
    tool_name, tool_calls
  FROM messages;
CREATE VIRTUAL TABLE messages_fts
  USING fts5(content,tool_name,tool_calls,content='messages_fts_src',content_rowid='id');
CREATE TRIGGER messages_fts_insert AFTER INSERT ON messages BEGIN
  INSERT INTO messages_fts(rowid,content,tool_name,tool_calls) VALUES (new.id,
    CASE WHEN new.role='tool' THEN substr(COALESCE(new.content,''),1,8192) ELSE new.content END,
    new.tool_name, new.tool_calls);
END;
CREATE TRIGGER messages_fts_delete AFTER DELETE ON messages BEGIN
  INSERT INTO messages_fts(messages_fts,rowid,content,tool_name,tool_calls) VALUES ('delete', old.id,
    CASE WHEN old.role='tool' THEN substr(COALESCE(old.content,''),1,8192) ELSE old.content END,
    old.tool_name, old.tool_calls);
END;
CREATE TRIGGER messages_fts_update AFTER UPDATE OF content, tool_name, tool_calls ON messages BEGIN
  INSERT INTO messages_fts(messages_fts,rowid,content,tool_name,tool_calls) VALUES ('delete', old.id,
    CASE WHEN old.role='tool' THEN substr(COALESCE(old.content,''),1,8192) ELSE old.content END,
    old.tool_name, old.tool_calls);
  INSERT INTO messages_fts(rowid,content,tool_name,tool_calls) VALUES (new.id,
    CASE WHEN new.role='tool' THEN substr(COALESCE(new.content,''),1,8192) ELSE new.content END,
    new.tool_name, new.tool_calls);
END;
INSERT OR REPLACE INTO state_meta VALUES ('fts_storage_version','3');
