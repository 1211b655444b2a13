import { useSyncExternalStore } from "react";
import type { UpdateTarget } from "../../../common/contracts/update.ts";
import { originText, sizeText, type UpdatesState } from "../model/updates.ts";
import { Bullets } from "./bullets.tsx";
import { Dialog } from "./dialog.tsx";
import { GiftIcon } from "./icons.tsx";
import { useWorkbench } from "./use-workbench.ts";

/** At the foot of the list, when something newer than what runs is known: nothing otherwise. */
export const UpdatesFoot = () => {
  const { updates } = useWorkbench();
  const state = useSyncExternalStore(updates.subscribe, updates.getState);
  if (state.targets.length === 0) return null;
  return (
    <>
      <button className="sidebar-foot" type="button" aria-haspopup="dialog" onClick={updates.open}>
        <GiftIcon />
        <span>What’s new</span>
        <span className="badge">{sizeText(state.targets)}</span>
      </button>
      {state.open && <UpdatesDialog state={state} />}
    </>
  );
};

const UpdatesDialog = ({ state }: { readonly state: UpdatesState }) => {
  const { updates } = useWorkbench();
  const { summary, problem } = state;
  const told = summary !== null && summary.generated_by !== null ? summary : null;
  const origin = told === null ? null : originText(told);
  return (
    <Dialog title="What’s new" className="updates" onClose={updates.close}>
      {(close) => (
        <>
          {told !== null && (
            <>
              <Told title="What you’ll notice" texts={told.notice} />
              <Told title="Worth knowing" texts={told.worth} />
              {origin !== null && <p className="field-hint">{origin}</p>}
            </>
          )}
          {told === null && problem === null && (
            <p role="status">
              <span className="spinner small" /> Reading the changes…
            </p>
          )}
          {problem !== null && (
            <p role="alert">
              {problem}{" "}
              <button className="link-button underlined" type="button" onClick={updates.open}>
                Try again
              </button>
            </p>
          )}
          {(told?.targets ?? state.targets).map((target) => (
            <Range key={target.name} target={target} />
          ))}
          <div className="dialog-actions">
            <button className="button" type="button" onClick={close}>
              Close
            </button>
          </div>
        </>
      )}
    </Dialog>
  );
};

const Told = ({ title, texts }: { readonly title: string; readonly texts: readonly string[] }) =>
  texts.length === 0 ? null : (
    <section>
      <h3>{title}</h3>
      <Bullets texts={texts} />
    </section>
  );

const Range = ({ target }: { readonly target: UpdateTarget }) => (
  <p className="field-hint">
    {target.name}: {target.current.slice(0, 9)} → {target.latest.slice(0, 9)}, {sizeText([target])}
    {target.compare_url !== null && (
      <>
        {" "}
        <a href={target.compare_url} target="_blank" rel="noreferrer">
          Compare
        </a>
      </>
    )}
  </p>
);
