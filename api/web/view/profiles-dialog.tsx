import { type KeyboardEvent, useCallback, useEffect, useId, useLayoutEffect, useRef, useState } from "react";
import type { Session } from "../../../common/contracts/session.ts";
import { sentence } from "../model/problem.ts";
import { type ProfilePanel, type ProfilesState, profileOf } from "../model/profiles.ts";
import { ConfirmDialog } from "./confirm-dialog.tsx";
import { BackIcon, CloseIcon } from "./icons.tsx";
import { NewProfile } from "./new-profile.tsx";
import { ProfileEditor } from "./profile-editor.tsx";
import { ProfileList } from "./profile-list.tsx";
import { UnsavedContext } from "./unsaved.ts";
import { useWorkbench } from "./use-workbench.ts";

/** Where profiles are kept: the list, and one of them or a new one beside it. What is not saved is not left without a question. */
export const ProfilesDialog = (props: PanelProps) => {
  const { profiles, panel } = props;
  const workbench = useWorkbench();
  const dialog = useRef<HTMLDialogElement>(null);
  const heading = useRef<HTMLHeadingElement>(null);
  const id = useId();
  const [making, setMaking] = useState(false);
  const [leaving, setLeaving] = useState<{ readonly go: () => void } | null>(null);
  const [unsaved] = useState(() => new Set<string>());

  // Before the element goes, so that the browser gives the focus back to where it came from.
  useLayoutEffect(() => {
    const element = dialog.current;
    element?.showModal();
    return () => element?.close();
  }, []);
  useEffect(() => {
    const stay = (event: BeforeUnloadEvent): void => {
      if (unsaved.size > 0) event.preventDefault();
    };
    window.addEventListener("beforeunload", stay);
    return () => window.removeEventListener("beforeunload", stay);
  }, [unsaved]);

  // What had the focus goes with the view it stood in; on a phone it may only be hidden.
  const place = making ? "new" : (panel.name ?? "");
  const lastPlace = useRef(place);
  useEffect(() => {
    if (lastPlace.current === place) return;
    lastPlace.current = place;
    const at = document.activeElement;
    const isThere = at !== null && at !== document.body && at.checkVisibility();
    if (!isThere) heading.current?.focus();
  }, [place]);

  const leave = useCallback(
    (go: () => void): void => {
      if (unsaved.size > 0) setLeaving({ go });
      else go();
    },
    [unsaved],
  );
  const close = (): void => leave(() => workbench.profiles.close());
  const show = (name: string | null): void =>
    leave(() => {
      setMaking(false);
      workbench.profiles.show(name);
    });
  const onKeyDown = (event: KeyboardEvent<HTMLDialogElement>): void => {
    const isOurs = (event.target as Element).closest("dialog") === dialog.current;
    if (event.key !== "Escape" || !isOurs || event.nativeEvent.isComposing) return;
    event.preventDefault();
    close();
  };
  const hasDetail = making || panel.name !== null;

  return (
    <UnsavedContext value={unsaved}>
      <dialog
        ref={dialog}
        className="profiles"
        aria-labelledby={id}
        data-view={hasDetail ? "detail" : "list"}
        onKeyDown={onKeyDown}
        onClick={(event) => event.target === dialog.current && close()}
        onCancel={(event) => {
          if (event.target !== dialog.current) return;
          event.preventDefault();
          close();
        }}
        onClose={() => {
          // A browser may insist on closing; what is not saved is asked about all the same.
          if (dialog.current?.open !== false) return;
          dialog.current.showModal();
          close();
        }}
      >
        <div className="profiles-frame">
          <header className="profiles-head">
            {hasDetail && (
              <button
                className="icon-button only-phone"
                type="button"
                aria-label="Back to the profiles"
                onClick={() => show(null)}
              >
                <BackIcon />
              </button>
            )}
            <h2 id={id} ref={heading} tabIndex={-1}>
              Profiles
            </h2>
            <button className="icon-button" type="button" aria-label="Close the profiles" onClick={close}>
              <CloseIcon />
            </button>
          </header>
          <div className="profiles-body">
            <ProfileList
              profiles={profiles}
              current={making ? null : panel.name}
              making={making}
              onShow={show}
              onNew={() => leave(() => setMaking(true))}
            />
            <div className="profiles-detail">
              {making ? (
                <NewProfile
                  items={profiles.items}
                  onCancel={() => leave(() => setMaking(false))}
                  onCreated={(name) => {
                    setMaking(false);
                    workbench.profiles.show(name);
                  }}
                />
              ) : (
                <Detail {...props} />
              )}
            </div>
          </div>
        </div>
        {leaving !== null && (
          <ConfirmDialog
            title="Leave without saving?"
            text="What you changed here is not saved yet."
            action="Discard"
            keep="Keep editing"
            onConfirm={() => {
              unsaved.clear();
              leaving.go();
            }}
            onClose={() => setLeaving(null)}
          />
        )}
      </dialog>
    </UnsavedContext>
  );
};

interface PanelProps {
  readonly profiles: ProfilesState;
  readonly panel: ProfilePanel;
  /** Those of the list, to name the ones that are at work. */
  readonly sessions: readonly Session[];
}

const Detail = (props: PanelProps) => {
  const { profiles, panel } = props;
  const workbench = useWorkbench();
  const { name, profile, problem } = panel;
  if (name === null) return <p className="profiles-empty">Choose a profile, or make a new one.</p>;
  if (profile !== null)
    return (
      <ProfileEditor
        key={name}
        profile={profile}
        outdated={problem}
        models={panel.models}
        items={profiles.items}
        sessions={profileOf(profiles.items, name)?.sessions ?? 0}
        active={props.sessions.filter((one) => one.profile === name && one.active_run_id !== null)}
      />
    );
  if (problem === null)
    return (
      <div className="profiles-empty" aria-busy="true">
        <span className="spinner" />
      </div>
    );
  return (
    <div className="profiles-empty" role="alert">
      <p>{sentence(problem.message)}</p>
      <button className="button" type="button" onClick={() => workbench.profiles.show(name)}>
        Try again
      </button>
    </div>
  );
};
