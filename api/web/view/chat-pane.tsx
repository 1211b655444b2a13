import type { RefObject } from "react";
import type { Backlog } from "../../../common/contracts/backlog.ts";
import type { ConnectionStatus } from "../model/connection.ts";
import type { ProfilesState } from "../model/profiles.ts";
import type { SessionState } from "../model/session-state.ts";
import { activeRun, statusLineOf } from "../model/status-line.ts";
import { storeNotice } from "../model/stores.ts";
import { ChatHeader } from "./chat-header.tsx";
import { Composer } from "./composer.tsx";
import { CompressionLine } from "./compression-line.tsx";
import { EmptyState } from "./empty-state.tsx";
import { AlertIcon } from "./icons.tsx";
import { ProcessStrip } from "./process-strip.tsx";
import { StateLine } from "./state-line.tsx";
import { Transcript } from "./transcript.tsx";
import { useWorkbench } from "./use-workbench.ts";

export const ChatPane = (props: {
  readonly session: SessionState | null;
  readonly profiles: ProfilesState;
  readonly connection: ConnectionStatus;
  readonly outdated: boolean;
  readonly drafted: number;
  readonly backlog: readonly Backlog[];
  readonly composer: RefObject<HTMLTextAreaElement | null>;
  /** The drawer or the login lies over it. */
  readonly covered: boolean;
  readonly onMenu: () => void;
  readonly onNew: () => void;
}) => {
  const { session, connection } = props;
  const workbench = useWorkbench();
  const run = session === null ? null : activeRun(session);
  const id = session?.id ?? null;
  const notice = session === null ? null : storeNotice(session.store);

  return (
    <main className="chat" inert={props.covered}>
      <ChatHeader session={session} profiles={props.profiles} onMenu={props.onMenu} onNew={props.onNew} />
      {notice !== null && (
        <p className="store-notice" role="status">
          <AlertIcon />
          <span>{notice}</span>
        </p>
      )}
      {session !== null && <CompressionLine sessionId={session.id} job={session.jobs.compression ?? null} />}
      <Conversation
        session={session}
        profiles={props.profiles}
        onPrompt={(text) => void workbench.send(id, text)}
      />
      <footer className="dock">
        {session !== null && <ProcessStrip processes={session.processes} />}
        <StateLine status={statusLineOf(session, connection, props.outdated, props.backlog)} />
        <Composer
          key="composer"
          sessionId={id}
          drafted={props.drafted}
          field={props.composer}
          disabled={session?.phase === "missing"}
          busy={run !== null}
          stopping={run?.stopping ?? false}
          onStop={run === null || session === null ? null : () => workbench.stop(session.id, run.runId)}
        />
      </footer>
    </main>
  );
};

const Conversation = (props: {
  readonly session: SessionState | null;
  readonly profiles: ProfilesState;
  readonly onPrompt: (text: string) => void;
}) => {
  const { session } = props;
  const workbench = useWorkbench();
  if (session === null) return <EmptyState {...props} />;
  const hasTurns = session.messages.length > 0 || session.pending.length > 0 || session.runs.size > 0;
  if (hasTurns) return <Transcript key={session.id} session={session} />;
  switch (session.phase) {
    case "loading":
      return (
        <div className="centre" aria-busy="true">
          <span className="spinner" />
        </div>
      );
    case "missing":
      return (
        <div className="centre">
          <h2>This session is not here</h2>
          <p>It may have been deleted, or the address is wrong.</p>
          <button className="button" type="button" onClick={() => workbench.select(null)}>
            Start a new one
          </button>
        </div>
      );
    case "failed":
      return (
        <div className="centre">
          <h2>The conversation could not be read</h2>
          <p>The server did not answer. Nothing is lost.</p>
          <button className="button" type="button" onClick={() => workbench.retryLoad(session.id)}>
            Try again
          </button>
        </div>
      );
    case "ready":
      return <EmptyState {...props} />;
  }
};
