import { useState } from "react";
import type { ProfileSummary } from "../../../common/contracts/profile.ts";
import {
  countText,
  type KeyState,
  keyStateOf,
  modelText,
  type ProfilesState,
  profileLabel,
} from "../model/profiles.ts";
import { PlusIcon } from "./icons.tsx";
import { useWorkbench } from "./use-workbench.ts";

const KEY_TEXT: Record<KeyState, string | null> = {
  set: "key set",
  missing: "no key",
  "none needed": null,
  unknown: null,
};

/** Every profile with what it is made of. Hidden ones stand here only when they are asked for, or are the one in view. */
export const ProfileList = (props: {
  readonly profiles: ProfilesState;
  readonly current: string | null;
  readonly making: boolean;
  readonly onShow: (name: string) => void;
  readonly onNew: () => void;
}) => {
  const { items, phase } = props.profiles;
  const workbench = useWorkbench();
  const [all, setAll] = useState(false);
  const hidden = items.filter(({ visible }) => !visible).length;
  const shown = items.filter(({ name, visible }) => all || visible || name === props.current);

  return (
    <nav className="profiles-side" aria-label="Profiles">
      {items.length === 0 && phase === "failed" && (
        <div className="profiles-empty" role="alert">
          <p>The profiles could not be read.</p>
          <button className="button" type="button" onClick={() => workbench.profiles.refresh()}>
            Try again
          </button>
        </div>
      )}
      <ul className="profile-list">
        {shown.map((profile) => (
          <li key={profile.name}>
            <ProfileItem
              profile={profile}
              label={profileLabel(items, profile.name)}
              current={profile.name === props.current}
              onShow={() => props.onShow(profile.name)}
            />
          </li>
        ))}
      </ul>
      <div className="profiles-foot">
        {hidden > 0 && (
          <label className="check">
            <input type="checkbox" checked={all} onChange={(event) => setAll(event.target.checked)} />
            Show hidden ({hidden})
          </label>
        )}
        <button className="new-session" type="button" aria-pressed={props.making} onClick={props.onNew}>
          <PlusIcon />
          <span>New profile</span>
        </button>
      </div>
    </nav>
  );
};

const ProfileItem = (props: {
  readonly profile: ProfileSummary;
  readonly label: string;
  readonly current: boolean;
  readonly onShow: () => void;
}) => {
  const { profile } = props;
  const key = keyStateOf(profile);
  return (
    <button
      className="profile-item"
      type="button"
      aria-current={props.current ? "true" : undefined}
      onClick={props.onShow}
    >
      <span className="profile-line">
        <span className="profile-title">{props.label}</span>
        {profile.state === "unavailable" && (
          <span className="badge" data-tone="trouble">
            unavailable
          </span>
        )}
        {!profile.visible && <span className="badge">hidden</span>}
      </span>
      {profile.state === "unavailable" ? (
        <span className="profile-facts trouble">{profile.message}</span>
      ) : (
        <span className="profile-facts">{modelText(profile)}</span>
      )}
      <span className="profile-facts">
        {KEY_TEXT[key] !== null && <span data-key={key}>{KEY_TEXT[key]} · </span>}
        {countText(profile.sessions)}
      </span>
    </button>
  );
};
