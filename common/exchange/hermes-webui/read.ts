import { z } from "zod";
import { oneLine } from "../../base/text.ts";
import { MAX_MODEL, MAX_TITLE } from "../../contracts/http.ts";
import { canonicalTime } from "../../reconcile/time.ts";
import { parseForeignJson } from "./foreign-json.ts";

/** A session as hermes-webui keeps it in a file of its own (session-reconciliation b.1). */
export interface LegacySession {
  readonly id: string;
  /** Null for the labels that the program gives by itself. */
  readonly title: string | null;
  readonly profile: string | null;
  readonly model: string | null;
  readonly workspace: string | null;
  readonly pinned: boolean;
  readonly archived: boolean;
  readonly createdAt: number | null;
  readonly updatedAt: number | null;
  /** A copy that was put aside when the conversation was compressed. */
  readonly snapshot: boolean;
  /** Anything at all; whoever reads them skips what is no message. */
  readonly messages: readonly unknown[];
  /** Prompt of a run that was in progress, not among the messages yet. */
  readonly pending: {
    readonly text: string;
    readonly at: number | null;
    readonly attachments: unknown;
  } | null;
  /** Marks of the last undo, edit or clear, as written. */
  readonly truncationWatermark: unknown;
  readonly truncationBoundary: unknown;
}

export type LegacyRefusal = "other_file" | "not_json" | "not_a_session" | "bad_id" | "id_mismatch";

export type LegacyRead =
  | { readonly ok: true; readonly session: LegacySession }
  | { readonly ok: false; readonly code: LegacyRefusal; readonly reason: string };

/**
 * Reads one file of the sessions folder. Only an object with a list of messages under its own id is a session; every
 * other field may be missing or hold anything. "other_file" (told by name alone) is nothing to worry about.
 */
export const readLegacySession = (text: string, fileName: string): LegacyRead => {
  if (!isSessionFileName(fileName))
    return refused("other_file", "is no session: an index, a backup or a file of another program");
  const value = parseForeignJson(text);
  if (value === undefined) return refused("not_json", "is not valid JSON, perhaps cut off");
  const parsed = FileSchema.safeParse(value);
  if (!parsed.success) return refused("not_a_session", "is JSON, but no session with a list of messages");
  const file = parsed.data;
  if (!SESSION_ID.test(file.session_id))
    return refused("bad_id", "its session_id is not made of a-z 0-9 _ alone");
  if (`${file.session_id}.json` !== fileName)
    return refused("id_mismatch", `belongs to session ${file.session_id}, not to the one it is named after`);
  return { ok: true, session: toSession(file) };
};

/** True for a file that the program keeps a session in; its indexes begin with `_`, its backups end otherwise. */
export const isSessionFileName = (name: string): boolean =>
  name.endsWith(".json") && !name.startsWith("_") && !name.startsWith(".");

const refused = (code: LegacyRefusal, reason: string): LegacyRead => ({ ok: false, code, reason });

const SESSION_ID = /^[0-9a-z_]{1,64}(?![\s\S])/;

const text = z.string().nullable().catch(null);
const anything = z.unknown().optional();
const flag = anything.transform((value) => value === true || value === 1);
const time = anything.transform(canonicalTime);

const FileSchema = z.object({
  session_id: z.string(),
  messages: z.array(z.unknown()),
  title: text,
  profile: text,
  model: text,
  workspace: text,
  pinned: flag,
  archived: flag,
  pre_compression_snapshot: flag,
  created_at: time,
  updated_at: time,
  pending_user_message: text,
  pending_started_at: time,
  pending_attachments: anything,
  truncation_watermark: anything,
  truncation_boundary: anything,
});

const toSession = (file: z.output<typeof FileSchema>): LegacySession => ({
  id: file.session_id,
  title: titleOf(file.title),
  profile: filled(file.profile),
  model: filled(file.model)?.slice(0, MAX_MODEL).toWellFormed() ?? null,
  workspace: filled(file.workspace),
  pinned: file.pinned,
  archived: file.archived,
  createdAt: file.created_at,
  updatedAt: file.updated_at,
  snapshot: file.pre_compression_snapshot,
  messages: file.messages,
  pending:
    file.pending_user_message === null || file.pending_user_message.trim() === ""
      ? null
      : {
          text: file.pending_user_message,
          at: file.pending_started_at,
          attachments: file.pending_attachments,
        },
  truncationWatermark: file.truncation_watermark,
  truncationBoundary: file.truncation_boundary,
});

/** What the program calls a session that nobody has named. */
const AUTOMATIC = ["Untitled", "New Chat"];

const titleOf = (title: string | null): string | null => {
  const line = oneLine(title ?? "");
  return line === "" || AUTOMATIC.includes(line) ? null : line.slice(0, MAX_TITLE).toWellFormed();
};

const filled = (value: string | null): string | null =>
  value === null || value.trim() === "" ? null : value.trim();
