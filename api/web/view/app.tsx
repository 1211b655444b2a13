import { useCallback, useEffect, useRef, useState } from "react";
import { choiceOf } from "../model/profiles.ts";
import { ChatPane } from "./chat-pane.tsx";
import { LoginForm } from "./login-form.tsx";
import { ProfilesDialog } from "./profiles-dialog.tsx";
import { Sidebar } from "./sidebar.tsx";
import { Toasts } from "./toasts.tsx";
import { useAppState, useWorkbench } from "./use-workbench.ts";

/** The workbench: sessions on the left, the conversation beside them; on a phone the sessions are a drawer. */
export const App = () => {
  const workbench = useWorkbench();
  const state = useAppState();
  const [drawer, setDrawer] = useState(false);
  const composer = useRef<HTMLTextAreaElement>(null);

  const focusComposer = useCallback(() => requestAnimationFrame(() => composer.current?.focus()), []);
  const startNew = useCallback(() => {
    workbench.select(null);
    setDrawer(false);
    focusComposer();
  }, [workbench, focusComposer]);
  const open = useCallback(
    (id: string) => {
      workbench.select(id);
      setDrawer(false);
    },
    [workbench],
  );

  const managing = state.profiles.panel !== null;
  const manage = useCallback(() => {
    const { selected, open: sessions, profiles } = workbench.getState();
    const session = selected === null ? null : (sessions.get(selected)?.session ?? null);
    // On a phone there is room for one of the two, and the list comes first.
    const isWide = matchMedia("(width >= 800px)").matches;
    workbench.profiles.open(isWide ? (session?.profile ?? choiceOf(profiles)) : null);
  }, [workbench]);
  const reveal = useCallback(
    (id: string, messageId: string) => {
      workbench.reveal(id, messageId);
      setDrawer(false);
    },
    [workbench],
  );

  useEffect(() => {
    const onKey = (event: KeyboardEvent): void => {
      if (managing) return; // the dialog lies over all of it
      if ((event.ctrlKey || event.metaKey) && !event.shiftKey && event.key.toLowerCase() === "k") {
        event.preventDefault();
        startNew();
      } else if (event.key === "Escape") setDrawer(false);
    };
    window.addEventListener("keydown", onKey);
    return () => window.removeEventListener("keydown", onKey);
  }, [startNew, managing]);

  // The drawer takes the focus when it opens and gives it back to where it came from.
  const opener = useRef<Element | null>(null);
  useEffect(() => {
    if (drawer) {
      opener.current = document.activeElement;
      document.querySelector<HTMLElement>(".sidebar .new-session")?.focus();
    } else if (opener.current instanceof HTMLElement) {
      if (document.activeElement === document.body) opener.current.focus();
      opener.current = null;
    }
  }, [drawer]);

  const session = state.selected === null ? null : (state.open.get(state.selected) ?? null);
  const title = session?.session?.title;
  useEffect(() => {
    document.title = title ? `${title} · Talaria` : "Talaria";
  }, [title]);

  return (
    <div className="app" data-drawer={drawer ? "open" : "closed"}>
      <a className="skip" href="#composer">
        Skip to the message field
      </a>
      <Sidebar
        list={state.list}
        search={state.search}
        stores={state.stores}
        backlog={state.backlog}
        profiles={state.profiles}
        selected={state.selected}
        covered={state.signedOut}
        onOpen={open}
        onReveal={reveal}
        onNew={startNew}
        onProfiles={manage}
        onClose={() => setDrawer(false)}
      />
      <button
        className="scrim"
        type="button"
        tabIndex={-1}
        aria-label="Close the session list"
        onClick={() => setDrawer(false)}
      />
      <ChatPane
        session={session}
        profiles={state.profiles}
        connection={state.connection}
        outdated={state.outdated}
        backlog={state.backlog}
        drafted={state.drafted}
        composer={composer}
        covered={drawer || state.signedOut}
        onMenu={() => setDrawer(true)}
        onNew={startNew}
      />
      <Toasts toasts={state.toasts} />
      {state.profiles.panel !== null && (
        <ProfilesDialog profiles={state.profiles} panel={state.profiles.panel} sessions={state.list.items} />
      )}
      {state.signedOut && <LoginForm signIn={workbench.signIn} />}
    </div>
  );
};
