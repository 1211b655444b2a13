/** Whether this browser is told when runs end. */
export interface NotifyState {
  readonly phase: "unsupported" | "insecure" | "denied" | "off" | "on";
  /** It is being changed. */
  readonly busy: boolean;
  /** Why the last change failed. */
  readonly problem: string | null;
}

/** The switch of the page. */
export interface Notifications {
  getState(): NotifyState;
  subscribe(listener: () => void): () => void;
  /** Never rejects: what went wrong is in the state. */
  toggle(): Promise<void>;
}

/** What stands below the switch; null: nothing has to be said. */
export const notifyHint = ({ phase, problem }: NotifyState): string | null => {
  switch (phase) {
    case "unsupported":
      return "This browser cannot be notified.";
    case "insecure":
      return "Notifications need https.";
    case "denied":
      return "Blocked for this page in the browser’s settings.";
    case "off":
    case "on":
      return problem;
  }
};

/** Nothing can be switched while the browser refuses. */
export const isSwitchable = ({ phase, busy }: NotifyState): boolean =>
  (phase === "off" || phase === "on") && !busy;
