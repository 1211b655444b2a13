import { useState } from "react";
import type { SessionState } from "../model/session-state.ts";
import { FolderIcon, MenuIcon, PencilIcon, PlusIcon } from "./icons.tsx";
import { TitleField } from "./title-field.tsx";
import { useWorkbench } from "./use-workbench.ts";

export const ChatHeader = (props: {
  readonly session: SessionState | null;
  readonly onMenu: () => void;
  readonly onNew: () => void;
}) => {
  const workbench = useWorkbench();
  const [editing, setEditing] = useState(false);
  const session = props.session?.session ?? null;
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
      <div className="chat-facts">
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
      <button className="icon-button only-phone" type="button" aria-label="New session" onClick={props.onNew}>
        <PlusIcon />
      </button>
    </header>
  );
};
