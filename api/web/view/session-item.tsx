import { memo, useState } from "react";
import type { Session } from "../../../common/contracts/session.ts";
import { activityOf, isForeign } from "../model/session-list.ts";
import { ConfirmDialog } from "./confirm-dialog.tsx";
import { PencilIcon, PinIcon, TrashIcon } from "./icons.tsx";
import { ProfileBadge } from "./profile-badge.tsx";
import { relativeTime } from "./relative-time.ts";
import { TitleField } from "./title-field.tsx";
import { useWorkbench } from "./use-workbench.ts";

/** One session of the list, always of the same height: title and time, then where it is from and how it ends. */
export const SessionItem = memo(function SessionItem(props: {
  readonly session: Session;
  /** What its profile is called; null: there is only one. */
  readonly profile: string | null;
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
    <li className="session-item" data-unread={session.unread_count > 0 && !current}>
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
        <span className="session-line">
          {session.pinned && (
            <span className="pin" role="img" aria-label="pinned">
              <PinIcon />
            </span>
          )}
          <span className="session-title">{title}</span>
          {active ? (
            <span className="active-dot" role="img" aria-label="a run is active" />
          ) : (
            <time className="session-time" dateTime={new Date(activityOf(session) * 1000).toISOString()}>
              {relativeTime(activityOf(session), props.now)}
            </time>
          )}
        </span>
        <span className="session-line second">
          {props.profile !== null && <ProfileBadge label={props.profile} />}
          {isForeign(session.source) && <span className="source-badge">{session.source}</span>}
          <span className="session-preview">{previewOf(session)}</span>
          {session.unread_count > 0 && !current && (
            <span className="unread">
              {session.unread_count > 99 ? "99+" : session.unread_count}
              <span className="visually-hidden"> unread</span>
            </span>
          )}
        </span>
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

const previewOf = ({ last_message: last, message_count: count }: Session): string => {
  if (last !== null && last.preview !== "")
    return last.role === "user" ? `You: ${last.preview}` : last.preview;
  if (count === 0) return "No messages yet";
  return count === 1 ? "1 message" : `${count} messages`;
};
