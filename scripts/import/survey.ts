import { join } from "node:path";
import { type LegacySession, readLegacySession } from "../../common/exchange/hermes-webui/read.ts";
import { DEFAULT_PROFILE, profileHome } from "../../common/profiles/names.ts";
import type { Segments } from "../../common/state-db/read/port.ts";
import type { Conversations } from "./conversation.ts";
import type { ImportDeps } from "./deps.ts";

/** A session file and where it belongs. */
export interface Candidate {
  readonly name: string;
  readonly text: string;
  readonly session: LegacySession;
  readonly profile: string;
  /** Where another profile was taken than the file names, why. */
  readonly note: string | null;
  readonly storePath: string;
  readonly segments: Segments | null;
  readonly storeId: string;
}

export type Inspected =
  | { readonly kind: "session"; readonly candidate: Candidate }
  | { readonly kind: "skipped" | "refused"; readonly reason: string };

/** Reads one file and finds its profile and its conversation. Rejects with `StoreTrouble`. */
export const inspectFile = async (
  deps: ImportDeps,
  conversations: Conversations,
  name: string,
): Promise<Inspected> => {
  // By its name alone: an index of gigabytes is not opened.
  const other = readLegacySession("", name);
  if (!other.ok && other.code === "other_file") return { kind: "skipped", reason: other.reason };
  const file = await deps.folder.read(name);
  if (!file.ok) return { kind: "refused", reason: file.reason };
  const read = readLegacySession(file.text, name);
  if (!read.ok) return { kind: "refused", reason: read.reason };
  const { session } = read;
  const { profile, note } = chooseProfile(deps, session.profile);
  const storePath = join(await profileHome(deps.home, profile), "state.db");
  const segments = await conversations.segments(storePath, session.id);
  const storeId = segments?.rootId ?? session.id;
  return {
    kind: "session",
    candidate: { name, text: file.text, session, profile, note, storePath, segments, storeId },
  };
};

/**
 * Of several files of one conversation the one that has it whole, by name: `conversationOf` -> file. A compression leaves
 * a copy of the older part behind; importing both would show one conversation twice.
 */
export const createChoice = () => {
  const best = new Map<string, { readonly name: string; readonly rank: readonly number[] }>();
  return {
    add({ name, session, ...where }: Candidate): void {
      const key = conversationOf(where);
      const rank = [session.snapshot ? 0 : 1, session.messages.length, session.updatedAt ?? 0];
      const known = best.get(key);
      if (known === undefined || isAbove(rank, known.rank)) best.set(key, { name, rank });
    },
    /** The file that stands for the candidate's conversation. */
    chosen: (candidate: Candidate): string => best.get(conversationOf(candidate))?.name ?? candidate.name,
  };
};

const conversationOf = ({ profile, storeId }: Pick<Candidate, "profile" | "storeId">): string =>
  `${profile} ${storeId}`;

const isAbove = (rank: readonly number[], other: readonly number[]): boolean => {
  const at = rank.findIndex((value, index) => value !== other[index]);
  return at >= 0 && (rank[at] ?? 0) > (other[at] ?? 0);
};

const chooseProfile = (
  { profiles, profile: fallback }: ImportDeps,
  wanted: string | null,
): { readonly profile: string; readonly note: string | null } => {
  if (wanted !== null && profiles.includes(wanted)) return { profile: wanted, note: null };
  const profile = fallback ?? DEFAULT_PROFILE;
  const note = wanted === null ? null : `its profile ${JSON.stringify(wanted)} does not exist here`;
  return { profile, note };
};
