import { sentence } from "../model/problem.ts";
import {
  choiceOf,
  isMarked,
  offeredFor,
  type ProfilesState,
  profileLabel,
  profileOf,
} from "../model/profiles.ts";
import type { SessionState } from "../model/session-state.ts";
import { AlertIcon, PersonIcon } from "./icons.tsx";
import { Menu } from "./menu.tsx";
import { useWorkbench } from "./use-workbench.ts";

/** Chooses the profile of a session that has no messages yet; null: of the one that the first message makes. */
export const ProfilePicker = (props: {
  readonly session: SessionState | null;
  readonly profiles: ProfilesState;
}) => {
  const { items } = props.profiles;
  const workbench = useWorkbench();
  const session = props.session?.session ?? null;
  const current = session?.profile ?? choiceOf(props.profiles);
  const chosen = profileOf(items, current);
  const isBroken = chosen?.state === "unavailable";
  const isUnread = props.session !== null && session === null;
  if (isUnread || (!isMarked(items) && !isBroken)) return null;

  const pick = (name: string): void => {
    workbench.profiles.choose(name);
    if (session !== null && session.profile !== name) workbench.patch(session.id, { profile: name });
  };
  return (
    <div className="profile-picker">
      {isMarked(items) && (
        <Menu
          label="Profile of this session"
          icon={<PersonIcon />}
          face={profileLabel(items, current)}
          entries={offeredFor(items, current).map(({ name, state }) => ({
            key: name,
            label: state === "ok" ? profileLabel(items, name) : `${profileLabel(items, name)} (unavailable)`,
            checked: name === current,
            onPick: () => pick(name),
          }))}
        />
      )}
      {isBroken && (
        <p className="form-error" role="status">
          <AlertIcon />
          <span>
            {sentence(chosen.message ?? "This profile cannot be used")} Its runs fail until that is mended.
          </span>
        </p>
      )}
    </div>
  );
};
