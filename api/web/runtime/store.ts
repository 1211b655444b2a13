import type { Session } from "../../../common/contracts/session.ts";
import type { AppAction, AppState } from "../model/app-state.ts";
import type { SessionAction } from "../model/session-state.ts";
import type { Drafts, ProfileChoice } from "../model/workbench.ts";
import type { Surroundings } from "../net/event-connection.ts";
import type { Api } from "../net/http.ts";

export interface WorkbenchDeps {
  readonly api: Api;
  readonly fetch: typeof fetch;
  readonly surroundings: Surroundings;
  readonly drafts: Drafts;
  readonly profileChoice: ProfileChoice;
  /** The session named by the address, and how the address follows the selection. */
  readonly route: {
    read(): string | null;
    write(id: string | null, mode: "push" | "replace"): void;
    onPop(listener: () => void): void;
  };
  /** Calls back before the next paint, or soon when nothing is painted. */
  readonly schedule: (work: () => void) => void;
}

/** What the parts of the runtime share: the state, the one way to change it, and how failures are told. */
export interface Store {
  state(): AppState;
  dispatch(action: AppAction): void;
  act(id: string, ...actions: SessionAction[]): void;
  /** A request was answered with the session: the list and its view show it so. */
  took(session: Session): void;
  /** Tells the person; a 401 asks for a login instead. `what` is the beginning of the sentence. */
  report(what: string, error: unknown): void;
}
