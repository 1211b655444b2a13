import { join } from "node:path";
import { profileHome } from "../profiles/names.ts";
import type { Async } from "../sqlite/client.ts";
import type { Answer, StateDbReadOps } from "../state-db/read/port.ts";

/** The state.db files of all profiles, read only. */
export interface StateStores {
  readonly call: Async<StateDbReadOps>;
  /** Where a profile's file lies, or would lie. Rejects with `profile_not_found`. */
  pathOf(profile: string): Promise<string>;
}

export const createStateStores = (home: string, call: Async<StateDbReadOps>): StateStores => ({
  call,
  pathOf: async (profile) => join(await profileHome(home, profile), "state.db"),
});

/** What a file answered, or null where it could not. */
export const valueIn = <T>(answer: Answer<T>): T | null => (answer.state === "ok" ? answer.value : null);
