/**
 * Another program that writes to a state.db, as a process: appends one row with each message `{type: "append"}`, in a
 * transaction with the counter as real writers do, and says when it was committed (microseconds, monotonic).
 */
import Database from "better-sqlite3";
import { monotonicUs } from "../harness/numbers.ts";

const [path = "", sessionId = ""] = process.argv.slice(2);
const db = new Database(path);
const insert = db.prepare(
  "INSERT INTO messages (session_id, role, content, timestamp) VALUES (?, 'user', 'hello', ?)",
);
const count = db.prepare("UPDATE sessions SET message_count = message_count + 1 WHERE id = ?");
const newest = db.prepare("SELECT MAX(timestamp) FROM messages WHERE session_id = ?").pluck();
let time = Number(newest.get(sessionId));
const append = db.transaction(() => {
  insert.run(sessionId, ++time);
  count.run(sessionId);
});
process.on("message", (message: { readonly type: string }) => {
  if (message.type !== "append") return;
  append.immediate();
  process.send?.({ type: "appended", at: monotonicUs() });
});
process.on("SIGTERM", () => process.exit(0));
process.send?.({ type: "ready" });
