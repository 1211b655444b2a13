import { useEffect, useId, useState } from "react";
import type { ProfileSummary, ProfileView } from "../../../common/contracts/profile.ts";
import type { Session } from "../../../common/contracts/session.ts";
import { type Problem, problemText, sentence } from "../model/problem.ts";
import {
  beginEdit,
  changesOf,
  FIELD_NAME,
  FIELD_OF,
  faultsOf,
  type ProfileDraft,
  rebased,
  refusedFields,
  saved,
  typed,
} from "../model/profile-draft.ts";
import { countText, type ModelChoice, profileLabel } from "../model/profiles.ts";
import { AlertIcon } from "./icons.tsx";
import { DeleteProfile } from "./profile-delete.tsx";
import { AssistantFields, NameFields } from "./profile-fields.tsx";
import { ProfileKeys } from "./profile-keys.tsx";
import { ModelFields } from "./profile-model-fields.tsx";
import { Refusal } from "./refusal.tsx";
import { useUnsaved } from "./unsaved.ts";
import { useCommand } from "./use-command.ts";
import { useWorkbench } from "./use-workbench.ts";

const SHOWN: ReadonlySet<string> = new Set(Object.keys(FIELD_OF));

/** One profile's settings, keys and end. Only what was changed is sent, and what others change meanwhile is taken over. */
export const ProfileEditor = (props: {
  readonly profile: ProfileView;
  /** Why it could not be read again: what stands here may be old. */
  readonly outdated: Problem | null;
  readonly models: ModelChoice;
  readonly items: readonly ProfileSummary[];
  readonly sessions: number;
  /** Those of its sessions that are at work, as far as the list knows them. */
  readonly active: readonly Session[];
}) => {
  const { profile, items } = props;
  const workbench = useWorkbench();
  const form = useId();
  const [edit, setEdit] = useState(() => beginEdit(profile));
  const { busy: saving, problem, forget, run } = useCommand();
  const [isSaved, setSaved] = useState(false);
  useEffect(() => setEdit((now) => (now.base === profile ? now : rebased(now, profile))), [profile]);

  const changes = changesOf(edit);
  const ownFaults = faultsOf(edit);
  const isReady = changes !== null && Object.keys(ownFaults).length === 0;
  const faults = { ...refusedFields(problem), ...ownFaults };
  useUnsaved(changes !== null);
  const change = (draft: Partial<ProfileDraft>): void => {
    forget();
    setSaved(false);
    setEdit((now) => typed(now, draft));
  };
  const save = async (): Promise<void> => {
    if (saving || !isReady) return;
    const sent = edit.draft;
    const outcome = await run(() => workbench.profiles.change(profile.name, changes));
    if (!outcome.ok) return;
    setEdit((now) => saved(now, sent, outcome.value));
    setSaved(true);
  };
  const fields = { edit, faults, change };
  const isUsable = profile.state === "ok";

  return (
    <>
      <div className="profile-scroll">
        <div className="profile-heading">
          <h3>{profileLabel(items, profile.name)}</h3>
          <p>
            <code>{profile.name}</code> · {countText(props.sessions)}
            {profile.is_default && " · the home itself"}
          </p>
        </div>
        <ProfileNotices profile={profile} outdated={props.outdated} />
        <form
          id={form}
          className="profile-form"
          noValidate
          autoComplete="off"
          onSubmit={(event) => {
            event.preventDefault();
            void save();
          }}
        >
          <NameFields {...fields} />
          {isUsable && <ModelFields {...fields} models={props.models} />}
          {isUsable && <AssistantFields {...fields} />}
        </form>
        {isUsable && <ProfileKeys profile={profile} />}
        <DeleteProfile profile={profile} sessions={props.sessions} active={props.active} />
      </div>
      <footer className="profile-save">
        <div className="profile-status">
          {edit.clashes.length > 0 && (
            <p className="form-warning" role="status">
              Changed elsewhere meanwhile: {edit.clashes.map((field) => FIELD_NAME[field]).join(", ")}. Saving
              keeps what stands here.
            </p>
          )}
          {problem !== null && <Refusal problem={problem} text={problemText(problem, SHOWN)} />}
          <p role="status">
            {saving
              ? "Saving…"
              : changes !== null
                ? "Not saved yet."
                : isSaved
                  ? "Saved. It counts from the next run on."
                  : ""}
          </p>
        </div>
        <button
          className="button"
          type="button"
          disabled={changes === null || saving}
          onClick={() => {
            forget();
            setEdit(beginEdit(edit.base));
          }}
        >
          Discard
        </button>
        <button className="button primary" type="submit" form={form} disabled={saving || !isReady}>
          Save
        </button>
      </footer>
    </>
  );
};

const ProfileNotices = (props: { readonly profile: ProfileView; readonly outdated: Problem | null }) => {
  const { profile, outdated } = props;
  const lines = [
    ...(profile.state === "unavailable"
      ? [
          `This profile cannot be used, and its runs fail: ${profile.message ?? "its files cannot be read"}. Once that is mended, its settings can be changed here.`,
        ]
      : profile.message === null
        ? []
        : [sentence(profile.message)]),
    ...(outdated === null
      ? []
      : outdated.code === "profile_not_found"
        ? ["This profile was deleted meanwhile."]
        : [`It could not be read again. ${sentence(outdated.message)}`]),
  ];
  return lines.map((line) => (
    <p key={line} className="profile-notice" role="alert">
      <AlertIcon />
      <span>{line}</span>
    </p>
  ));
};
