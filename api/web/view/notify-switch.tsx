import { createContext, useContext, useId, useSyncExternalStore } from "react";
import { isSwitchable, type Notifications, notifyHint } from "../model/notify.ts";
import { BellIcon } from "./icons.tsx";

export const NotificationsContext = createContext<Notifications | null>(null);

/** "Notify me when a run ends", and why not, where it cannot be. Nothing where the page has no notifications. */
export const NotifySwitch = () => {
  const notifications = useContext(NotificationsContext);
  return notifications === null ? null : <Switch notifications={notifications} />;
};

const Switch = ({ notifications }: { readonly notifications: Notifications }) => {
  const state = useSyncExternalStore(notifications.subscribe, notifications.getState);
  const hint = notifyHint(state);
  const id = useId();
  return (
    <div className="notify">
      <button
        className="sidebar-foot"
        type="button"
        role="switch"
        aria-checked={state.phase === "on"}
        aria-disabled={!isSwitchable(state)}
        aria-describedby={hint === null ? undefined : id}
        onClick={() => isSwitchable(state) && void notifications.toggle()}
      >
        <BellIcon />
        <span>Notify me when a run ends</span>
        <span className="badge" data-tone={state.phase === "on" ? "good" : undefined}>
          {state.phase === "on" ? "on" : "off"}
        </span>
      </button>
      {hint !== null && (
        <p id={id} role="status">
          {hint}
        </p>
      )}
    </div>
  );
};
