import { useState } from "react";
import type { Session } from "../../../common/contracts/session.ts";
import { exportUrl } from "../net/http.ts";
import { CompressDialog } from "./compress-dialog.tsx";
import { ConfirmDialog } from "./confirm-dialog.tsx";
import {
  ArchiveIcon,
  ClearIcon,
  CompressIcon,
  CopyIcon,
  DownloadIcon,
  MoreIcon,
  PencilIcon,
  PinIcon,
  RecapIcon,
  TitleIcon,
  TrashIcon,
} from "./icons.tsx";
import { Menu, type MenuEntry } from "./menu.tsx";
import { useWorkbench } from "./use-workbench.ts";

const RECAPS = [
  ["recap", "Recap what happened"],
  ["handoff", "Write a hand-off"],
] as const;
const EXPORTS = [
  ["markdown", "Export as Markdown"],
  ["html", "Export as web page"],
  ["json", "Export as JSON"],
] as const;

/** Everything that is done to a whole session. `lock`: why its messages cannot be changed now. */
export const SessionMenu = (props: {
  readonly session: Session;
  readonly lock: string | null;
  readonly empty: boolean;
  readonly onRename: () => void;
}) => {
  const { session } = props;
  const workbench = useWorkbench();
  const [asking, setAsking] = useState<"compress" | "clear" | "delete" | null>(null);
  const title = session.title ?? "Untitled session";
  const patch = (change: { pinned?: boolean; archived?: boolean }): void =>
    workbench.patch(session.id, change);
  const entries: readonly MenuEntry[] = [
    { key: "rename", label: "Rename", icon: <PencilIcon />, onPick: props.onRename },
    {
      key: "title",
      label: "Make a new title",
      icon: <TitleIcon />,
      refused: props.empty ? "There are no messages." : null,
      onPick: () => workbench.makeTitle(session.id),
    },
    ...RECAPS.map(([kind, label]) => ({
      key: kind,
      label,
      icon: <RecapIcon />,
      refused: props.empty ? "There are no messages." : null,
      onPick: () => workbench.makeRecap(session.id, kind),
    })),
    {
      key: "pin",
      label: session.pinned ? "Unpin" : "Pin",
      icon: <PinIcon />,
      onPick: () => patch({ pinned: !session.pinned }),
    },
    {
      key: "archive",
      label: session.archived ? "Take out of the archive" : "Archive",
      icon: <ArchiveIcon />,
      onPick: () => patch({ archived: !session.archived }),
    },
    {
      key: "duplicate",
      label: "Duplicate",
      icon: <CopyIcon />,
      onPick: () => workbench.duplicate(session.id),
    },
    ...EXPORTS.map(([format, label], i) => ({
      key: format,
      label,
      icon: <DownloadIcon />,
      href: exportUrl(session.id, format),
      apart: i === 0,
    })),
    {
      key: "compress",
      label: "Compress the conversation…",
      icon: <CompressIcon />,
      refused: props.lock ?? (props.empty ? "There are no messages." : null),
      apart: true,
      onPick: () => setAsking("compress"),
    },
    {
      key: "clear",
      label: "Clear the conversation…",
      icon: <ClearIcon />,
      refused: props.lock ?? (props.empty ? "There are no messages." : null),
      onPick: () => setAsking("clear"),
    },
    {
      key: "delete",
      label: "Delete…",
      icon: <TrashIcon />,
      danger: true,
      onPick: () => setAsking("delete"),
    },
  ];

  return (
    <>
      <Menu label="Session menu" icon={<MoreIcon />} entries={entries} />
      {asking === "compress" && <CompressDialog sessionId={session.id} onClose={() => setAsking(null)} />}
      {asking === "clear" && (
        <ConfirmDialog
          title="Clear this conversation?"
          text={`All messages of “${title}” will be gone. The session itself stays.`}
          action="Clear"
          onConfirm={() => workbench.clear(session.id)}
          onClose={() => setAsking(null)}
        />
      )}
      {asking === "delete" && (
        <ConfirmDialog
          title="Delete this session?"
          text={`“${title}” and its messages will be gone.${session.active_run_id === null ? "" : " Its active run is stopped."}`}
          action="Delete"
          onConfirm={() => workbench.remove(session.id)}
          onClose={() => setAsking(null)}
        />
      )}
    </>
  );
};
