import { messageOf, TalariaError } from "../../common/base/errors.ts";
import { type LegacyPlan, planLegacyImport } from "../../common/exchange/hermes-webui/plan.ts";
import { importDigest, toImportSession } from "../../common/exchange/hermes-webui/session.ts";
import { checkWorkspace } from "../../common/profiles/workspace.ts";
import { type Conversations, createConversations, StoreTrouble } from "./conversation.ts";
import type { ImportDeps } from "./deps.ts";
import type { FileResult } from "./report.ts";
import { type Candidate, createChoice, inspectFile } from "./survey.ts";

/**
 * Imports every session of a folder, one result per file in the order of their names. Every file is read twice, so that
 * never more than one is in memory: first to see which belong together, then to import.
 */
export async function* runImport(deps: ImportDeps): AsyncIterable<FileResult> {
  const choice = createChoice();
  const conversations = createConversations(deps.store);
  for (const name of deps.folder.names)
    await inspectFile(deps, conversations, name).then(
      (found) => {
        if (found.kind === "session") choice.add(found.candidate);
      },
      () => undefined, // Told when it is read again.
    );
  for (const name of deps.folder.names)
    yield await importFile(deps, conversations, name, choice.chosen).catch((error: unknown) => {
      if (error instanceof StoreTrouble || error instanceof TalariaError)
        return outcome(name, "refused", messageOf(error));
      throw error;
    });
}

const importFile = async (
  deps: ImportDeps,
  conversations: Conversations,
  name: string,
  chosen: (candidate: Candidate) => string,
): Promise<FileResult> => {
  const found = await inspectFile(deps, conversations, name);
  if (found.kind !== "session") return outcome(name, found.kind, found.reason);
  const { candidate } = found;
  const notes = candidate.note === null ? [] : [candidate.note];
  const where = { session: candidate.storeId, profile: candidate.profile };
  const whole = chosen(candidate);
  if (whole !== name)
    return { ...outcome(name, "skipped", `is a part of the conversation in ${whole}`), ...where, notes };
  return { ...(await importSession(deps, conversations, candidate, notes)), ...where };
};

const importSession = async (
  { home, target, dryRun }: ImportDeps,
  conversations: Conversations,
  candidate: Candidate,
  notes: readonly string[],
): Promise<FileResult> => {
  const { name, session, profile, storeId, segments, storePath, text } = candidate;
  const digest = importDigest(profile, storeId, text);
  const known = await target.find(profile, storeId);
  if (known?.digest === digest) return { ...outcome(name, "unchanged", null), notes };
  if (known !== null && (known.isTouched || known.digest === null))
    return { ...outcome(name, "refused", CHANGED_HERE), notes };

  const there = segments === null ? NOTHING : await conversations.read(storePath, segments);
  const plan = planLegacyImport({
    session,
    profile,
    storeId,
    storeRows: there.rows,
    maxRowId: there.maxRowId,
    storeOrigin: there.origin,
  });
  if (plan.rows.length === 0 && there.rows.length === 0)
    return { ...outcome(name, "skipped", "has no messages"), notes };
  const { workspace, note } = await usableWorkspace(home, session.workspace);
  const allNotes = note === null ? notes : [...notes, note];
  const told = { counts: plan.counts, notes: allNotes };
  const input = toImportSession({ session, plan, profile, storeId, workspace, digest });
  const written = dryRun ? (known === null ? "imported" : "updated") : await target.importSession(input);
  if (written === "conflict") return { ...outcome(name, "refused", CHANGED_HERE), notes: allNotes };
  if (written === "unchanged") return { ...outcome(name, "unchanged", null), notes: allNotes };
  const again = written === "updated" ? "again: the file has changed since it was imported" : null;
  return { ...outcome(name, isMerged(plan) ? "merged" : "imported", again), ...told };
};

const CHANGED_HERE = "was changed here since, and its file too: nothing was overwritten";
const NOTHING = { rows: [], maxRowId: 0, origin: "unknown" } as const;

const isMerged = ({ counts }: LegacyPlan): boolean => counts.merged + counts.fromStore > 0;

const outcome = (file: string, result: FileResult["result"], reason: string | null): FileResult => ({
  file,
  result,
  reason,
  session: null,
  profile: null,
  counts: null,
  notes: [],
});

/** A folder of another machine, or one that no session may work in, is left out and told. */
const usableWorkspace = async (
  home: string,
  wanted: string | null,
): Promise<{ readonly workspace: string | null; readonly note: string | null }> => {
  if (wanted === null) return { workspace: null, note: null };
  try {
    return { workspace: await checkWorkspace(home, wanted), note: null };
  } catch (error) {
    return { workspace: null, note: `its workspace is not used: ${messageOf(error)}` };
  }
};
