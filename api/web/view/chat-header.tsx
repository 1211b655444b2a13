import { useState } from "react";
import { choiceOf, isMarked, type ProfilesState, profileLabel } from "../model/profiles.ts";
import { isForeign } from "../model/session-list.ts";
import type { SessionState } from "../model/session-state.ts";
import { lockOf } from "../model/turn-actions.ts";
import { FolderIcon, MenuIcon, PencilIcon, PersonIcon, PlusIcon } from "./icons.tsx";
import { JobState } from "./job-state.tsx";
import { SessionMenu } from "./session-menu.tsx";
import { TitleField } from "./title-field.tsx";
import { useWorkbench } from "./use-workbench.ts";

export const ChatHeader = (props: {
  readonly session: SessionState | null;
  readonly profiles: ProfilesState;
  readonly onMenu: () => void;
  readonly onNew: () => void;
}) => {
  const workbench = useWorkbench();
  const [editing, setEditing] = useState(false);
  const session = props.session?.session ?? null;
  const { items } = props.profiles;
  // Of a session that is not here yet nothing is known.
  const profile = props.session === null ? choiceOf(props.profiles) : (session?.profile ?? null);
  const model = props.session?.model ?? session?.model ?? null;

  return (
    <header className="chat-head">
      <button
        className="icon-button only-phone"
        type="button"
        aria-label="Open the session list"
        onClick={props.onMenu}
      >
        <MenuIcon />
      </button>
      <div className="chat-title">
        {editing && session !== null ? (
          <TitleField
            title={session.title ?? ""}
            onSave={(title) => workbench.rename(session.id, title)}
            onClose={() => setEditing(false)}
          />
        ) : (
          <h1>
            {session === null ? (
              "New session"
            ) : (
              <button className="title-button" type="button" onClick={() => setEditing(true)}>
                <span>{session.title ?? "Untitled session"}</span>
                <span className="visually-hidden">, rename</span>
                <PencilIcon />
              </button>
            )}
          </h1>
        )}
      </div>
      <JobState
        job={props.session?.jobs.title ?? null}
        onRetry={() => session && workbench.makeTitle(session.id)}
      />
      <div className="chat-facts">
        {isMarked(items) && profile !== null && props.session?.phase !== "missing" && (
          <span className="fact profile" title={`Profile: ${profileLabel(items, profile)}`}>
            <PersonIcon />
            <span className="visually-hidden">Profile: </span>
            <bdi>{profileLabel(items, profile)}</bdi>
          </span>
        )}
        {session !== null && isForeign(session.source) && (
          <span className="fact source" title={`Created by: ${session.source}`}>
            <span className="visually-hidden">Created by: </span>
            <bdi>{session.source}</bdi>
          </span>
        )}
        {session?.workspace && (
          <span className="fact" title={session.workspace}>
            <FolderIcon />
            <span className="visually-hidden">Workspace: </span>
            <bdi>{session.workspace}</bdi>
          </span>
        )}
        {model !== null && (
          <span className="fact" title={`Model: ${model}`}>
            <span className="visually-hidden">Model: </span>
            <bdi>{model}</bdi>
          </span>
        )}
      </div>
      {session !== null && props.session !== null && props.session.phase !== "missing" && (
        <SessionMenu
          session={session}
          lock={lockOf(props.session)}
          empty={props.session.messages.length === 0}
          onRename={() => setEditing(true)}
        />
      )}
      <button className="icon-button only-phone" type="button" aria-label="New session" onClick={props.onNew}>
        <PlusIcon />
      </button>
    </header>
  );
};
