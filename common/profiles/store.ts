import { randomBytes } from "node:crypto";
import { lstat, mkdir, readdir, rename, rm } from "node:fs/promises";
import { join } from "node:path";
import { TalariaError } from "../base/errors.ts";
import { MASK } from "../base/mask.ts";
import type { CreateProfileBody, PatchProfileBody, ProfileView } from "../contracts/profile.ts";
import { bytesOf, MASK_SAVED, MAX_SOUL_BYTES } from "../contracts/profile-rules.ts";
import { MAX_CARD_BYTES, readCard } from "./card.ts";
import { plant, seedFrom } from "./clone.ts";
import { configEdit, configure } from "./configure.ts";
import { detailsOf } from "./details.ts";
import { editFiles, type FileEdit } from "./edit.ts";
import { isBlockedName } from "./env-file.ts";
import { FRESH, TRASH } from "./folders.ts";
import { type KeyOrigins, keyOriginsFile, loadKeyOrigins } from "./key-origins.ts";
import { createLock } from "./lock.ts";
import { DEFAULT_PROFILE, isProfileName, listProfiles, profileHome } from "./names.ts";
import { MAX_WRITTEN_SOUL_BYTES } from "./read.ts";
import type { Salt } from "./revision.ts";
import { syncFolder } from "./write.ts";
import { editYaml, type YamlChange } from "./yaml-edit.ts";

/** The profiles of a home, as people see and change them. Names that are none are `profile_not_found` everywhere (P-1). */
export interface ProfileStore {
  /** `default` first, then by name; those that cannot be used are among them and say why. */
  list(): Promise<readonly ProfileView[]>;
  get(name: string): Promise<ProfileView>;
  /** The name that sessions and files use: the display name of the root profile means `default`. Rejects with `profile_not_found`. */
  canonical(name: string): Promise<string>;
  /** Empty, or cloned. Rejects with `profile_exists`. */
  create(input: CreateProfileBody): Promise<ProfileView>;
  /**
   * Rejects with `profile_unavailable`, nothing changed, when a file to be changed cannot be understood (P-6). A key that would go to
   * another origin than before is gone afterwards, unless the change brings one (`configure`); the answer shows it as not set.
   */
  patch(name: string, change: PatchProfileBody): Promise<ProfileView>;
  /** Rejects with `key_refused` for names of the server and values that a `.env` cannot hold. */
  setKey(name: string, key: string, value: string): Promise<void>;
  unsetKey(name: string, key: string): Promise<void>;
  /** Takes the folder away in one step, then removes what was in it. Rejects with `forbidden` for `default`. */
  remove(name: string): Promise<void>;
}

export interface ProfileStoreDeps {
  readonly home: string;
  /** Held while a profile is changed, by whichever process. */
  readonly lockFile: string;
  readonly salt: Salt;
}

export const createProfileStore = ({ home, lockFile, salt }: ProfileStoreDeps): ProfileStore => {
  const locked = createLock(lockFile);
  const root = join(home, "profiles");
  const origins = (): Promise<KeyOrigins> => loadKeyOrigins(keyOriginsFile(lockFile), salt);

  const canonical = async (name: string): Promise<string> => {
    if (name === DEFAULT_PROFILE) return name;
    try {
      await profileHome(home, name);
      return name;
    } catch (error) {
      if (isProfileName(name) && (await readCard(home, DEFAULT_PROFILE)).displayName === name)
        return DEFAULT_PROFILE;
      throw error;
    }
  };

  const viewOf = async (name: string): Promise<ProfileView> =>
    detailsOf(home, name, await profileHome(home, name), salt);
  const get = async (given: string): Promise<ProfileView> => viewOf(await canonical(given));

  /** The folder of a profile that is about to be changed; the root's own may not exist yet. */
  const folderOf = async (name: string): Promise<string> => {
    const folder = await profileHome(home, name);
    if (name === DEFAULT_PROFILE) await mkdir(folder, { recursive: true, mode: 0o700 });
    return folder;
  };

  const editKey = (given: string, key: string, value: string | null): Promise<void> =>
    locked(async () => {
      demandOwnName(key);
      const name = await canonical(given);
      const input = { settings: [], variable: { name: key, value } };
      await configure(await folderOf(name), name, input, [], await origins());
    });

  return {
    list: async () => Promise.all((await listProfiles(home)).map(viewOf)),
    get,
    canonical,

    create: ({ name, clone_from: source, display_name: displayName }) =>
      locked(async () => {
        const exists = (): never => {
          throw new TalariaError("profile_exists", `there is a profile "${name}" already`);
        };
        if (name === DEFAULT_PROFILE || (await canonical(name).catch(() => null)) !== null) exists();
        const seeds =
          source === undefined
            ? []
            : await canonical(source).then(async (from) => seedFrom(await profileHome(home, from), from));
        await mkdir(root, { recursive: true, mode: 0o700 });
        // Whatever has the name, a file or a link that leads elsewhere, keeps it.
        if ((await lstat(join(root, name)).catch(() => null)) !== null) exists();
        const fresh = join(root, `${FRESH}${randomBytes(8).toString("hex")}`);
        try {
          await plant(fresh, seeds);
          if (displayName !== undefined)
            await editFiles(fresh, name, [cardEdit({ display_name: displayName })]);
          await rename(fresh, join(root, name));
        } finally {
          await rm(fresh, { recursive: true, force: true });
        }
        await syncFolder(root);
        return viewOf(name);
      }),

    patch: (given, change) =>
      locked(async () => {
        const name = await canonical(given);
        const folder = await folderOf(name);
        if (name === DEFAULT_PROFILE && change.display_name != null && change.display_name !== name)
          await demandFreeName(home, change.display_name);
        const [settings, others] = [settingsOf(change), othersOf(change)];
        const { key, model } = change;
        if (key !== undefined) demandOwnName(key.name);
        if (model === undefined && key === undefined)
          await editFiles(folder, name, settings.length === 0 ? others : [configEdit(settings), ...others]);
        else await configure(folder, name, { settings, variable: key ?? null }, others, await origins());
        return viewOf(name);
      }),

    setKey: (name, key, value) => editKey(name, key, value),
    unsetKey: (name, key) => editKey(name, key, null),

    remove: (given) =>
      locked(async () => {
        const name = await canonical(given);
        if (name === DEFAULT_PROFILE)
          throw new TalariaError("forbidden", "the default profile cannot be deleted");
        // Where the name is a link to another profile, only the link goes.
        await rename(await profileHome(home, name), join(root, `${TRASH}${randomBytes(8).toString("hex")}`));
        await syncFolder(root);
        await emptyTrash(root);
      }),
  };
};

/** Both names of the root mean the same profile, so its display name must not be another's. */
const demandFreeName = async (home: string, name: string): Promise<void> => {
  if ((await listProfiles(home)).includes(name))
    throw new TalariaError("profile_exists", `there is a profile "${name}" already`);
};

const demandOwnName = (key: string): void => {
  if (isBlockedName(key))
    throw new TalariaError("key_refused", `${key} belongs to the server: a profile may not set it`);
};

/** What an interrupted deletion left goes with the next one. */
const emptyTrash = async (root: string): Promise<void> => {
  const trash = (await readdir(root)).filter((name) => name.startsWith(TRASH) || name.startsWith(FRESH));
  for (const name of trash) await rm(join(root, name), { recursive: true, force: true, maxRetries: 3 });
};

/** What is changed in `config.yaml`. */
const settingsOf = (change: PatchProfileBody): readonly YamlChange[] => {
  const settings: YamlChange[] = [];
  const set = (path: YamlChange["path"], value: YamlChange["value"] | undefined): void => {
    if (value !== undefined) settings.push({ path, value });
  };
  set(["model", "provider"], change.model?.provider);
  set(["model", "default"], change.model?.default);
  set(["model", "base_url"], change.model?.base_url);
  set(["bot_name"], change.bot_name);
  set(["agent", "max_steps"], change.agent?.max_steps);
  set(["limits", "concurrent_runs"], change.limits?.concurrent_runs);
  set(["limits", "runs_per_minute"], change.limits?.runs_per_minute);
  return settings;
};

const othersOf = (change: PatchProfileBody): readonly FileEdit[] => {
  const edits: FileEdit[] = [];
  if (change.display_name !== undefined || change.visible !== undefined) edits.push(cardEdit(change));
  const { instructions } = change;
  if (instructions !== undefined)
    edits.push({
      ...{ file: "SOUL.md", maxBytes: MAX_WRITTEN_SOUL_BYTES },
      change: (text) => {
        const soul = (instructions ?? "").trim();
        if (soul !== "") demandWhole(text, soul);
        return soul === "" ? (text === "" ? null : "") : `${soul}\n`;
      },
    });
  return edits;
};

/** Who edits instructions saw them as they are shown: cut, and without keys. Neither may replace what the file holds. */
const demandWhole = (before: string, after: string): void => {
  if (bytesOf(before.trim()) > MAX_SOUL_BYTES)
    throw new TalariaError(
      "conflict",
      `SOUL.md has more than ${MAX_SOUL_BYTES} bytes, and only its beginning is shown: shorten the file itself`,
    );
  if (after.includes(MASK) && !before.includes(MASK))
    throw new TalariaError("invalid_request", "the request body is not valid", {
      details: [{ path: "instructions", message: MASK_SAVED }],
    });
};

const cardEdit = ({
  display_name: displayName,
  visible,
}: Pick<PatchProfileBody, "display_name" | "visible">): FileEdit => ({
  ...{ file: "profile.yaml", maxBytes: MAX_CARD_BYTES },
  change: (text, what) =>
    editYaml(text, what, [
      ...(displayName === undefined ? [] : [{ path: ["display_name"] as const, value: displayName }]),
      // Visible is what a profile is without a word.
      ...(visible === undefined ? [] : [{ path: ["visible"] as const, value: visible ? null : false }]),
    ]),
});
