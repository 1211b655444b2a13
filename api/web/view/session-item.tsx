import { memo, useState } from "react";
import type { Session } from "../../../common/contracts/session.ts";
import { activityOf } from "../model/app-state.ts";
import { ConfirmDialog } from "./confirm-dialog.tsx";
import { PencilIcon, TrashIcon } from "./icons.tsx";
import { relativeTime } from "./relative-time.ts";
import { TitleField } from "./title-field.tsx";
import { useWorkbench } from "./use-workbench.ts";

export const SessionItem = memo(function SessionItem(props: {
  readonly session: Session;
  readonly current: boolean;
  readonly now: number;
  readonly onOpen: (id: string) => void;
}) {
  const { session, current } = props;
  const workbench = useWorkbench();
  const [mode, setMode] = useState<"show" | "rename" | "delete">("show");
  const title = session.title ?? "Untitled session";
  const active = session.active_run_id !== null;

  if (mode === "rename")
    return (
      <li className="session-item">
        <TitleField
          title={session.title ?? ""}
          onSave={(text) => workbench.rename(session.id, text)}
          onClose={() => setMode("show")}
        />
      </li>
    );
  return (
    <li className="session-item">
      <a
        className="session-link"
        href={`/s/${session.id}`}
        aria-current={current ? "page" : undefined}
        onClick={(event) => {
          if (event.metaKey || event.ctrlKey || event.shiftKey) return;
          event.preventDefault();
          props.onOpen(session.id);
        }}
      >
        <span className="session-title">{title}</span>
        {active ? (
          <span className="active-dot" role="img" aria-label="a run is active" />
        ) : (
          <time className="session-time" dateTime={new Date(activityOf(session) * 1000).toISOString()}>
            {relativeTime(activityOf(session), props.now)}
          </time>
        )}
      </a>
      <span className="session-actions">
        <button
          className="icon-button small"
          type="button"
          aria-label={`Rename ${title}`}
          onClick={() => setMode("rename")}
        >
          <PencilIcon />
        </button>
        <button
          className="icon-button small"
          type="button"
          aria-label={`Delete ${title}`}
          onClick={() => setMode("delete")}
        >
          <TrashIcon />
        </button>
      </span>
      {mode === "delete" && (
        <ConfirmDialog
          title="Delete this session?"
          text={`“${title}” and its ${session.message_count === 1 ? "message" : `${session.message_count} messages`} will be gone.${active ? " Its active run is stopped." : ""}`}
          action="Delete"
          onConfirm={() => workbench.remove(session.id)}
          onClose={() => setMode("show")}
        />
      )}
    </li>
  );
});
