import type { ProfileView } from "../../../common/contracts/profile.ts";
import type { Outcome } from "../model/problem.ts";
import { asksForProfiles, DEFAULT_PROFILE, type ProfilesAction } from "../model/profiles.ts";
import type { SessionFilter } from "../model/session-list.ts";
import type { ProfileChoice, ProfileCommands } from "../model/workbench.ts";
import { type Api, ApiError } from "../net/http.ts";
import { createAttempt, problemOf } from "./problem.ts";
import type { Store } from "./store.ts";

/** Hints come in swarms; one read answers a swarm, and the next one waits. */
const HINT_MS = 250;
const GAP_MS = 2_000;

/** Keeps the profiles fresh and changes them. After each change of one's own they are read again. */
export const createProfiles = (deps: {
  readonly api: Api;
  readonly store: Store;
  readonly choice: ProfileChoice;
  readonly now: () => number;
  readonly list: { changed(): void; filter(filter: SessionFilter): void };
  /** A session went with its profile. */
  readonly removed: (sessionId: string) => void;
}) => {
  const { api, store, choice, now, list } = deps;
  const state = () => store.state().profiles;
  const dispatch = (action: ProfilesAction): void => store.dispatch({ type: "profiles", action });
  const attempt = createAttempt(store);
  let timer: ReturnType<typeof setTimeout> | undefined;
  let readAt = Number.NEGATIVE_INFINITY;
  let reading: Promise<void> | null = null;
  let next: Promise<void> | null = null;
  /** Counts what was learnt of the profile at the side: an answer that was asked for before the last one is dropped. */
  let learnt = 0;

  const readNow = async (): Promise<void> => {
    readAt = now();
    try {
      const { data } = await api.profiles();
      dispatch({ type: "loaded", items: data });
      afterLoad();
    } catch (error) {
      if (error instanceof ApiError && error.status === 401) store.report("", error);
      dispatch({ type: "load_failed" });
    }
  };

  /** Reads the list, and the profile at the side; one read at a time. Resolves when a read that began after the call is in the state. */
  const read = (): Promise<void> => {
    clearTimeout(timer);
    timer = undefined;
    if (reading !== null) {
      next ??= reading.then(() => {
        next = null;
        return read();
      });
      return next;
    }
    reading = Promise.all([readNow(), readShown()]).then(() => {
      reading = null;
    });
    return reading;
  };

  const changed = (): void => {
    timer ??= setTimeout(() => void read(), Math.max(HINT_MS, readAt + GAP_MS - now()));
  };

  /** What rests on a profile that is gone. A folder may be away for a while: the server says whether its sessions are. */
  const afterLoad = (): void => {
    if (state().items.length === 0) return;
    const isKnown = (name: string): boolean => state().items.some((item) => item.name === name);
    const { filter } = store.state().list;
    if (filter.profile !== null && !isKnown(filter.profile)) list.filter({ ...filter, profile: null });
    const { selected, open } = store.state();
    const session = selected === null ? null : (open.get(selected)?.session ?? null);
    if (session === null || isKnown(session.profile)) return;
    api.session(session.id).catch((error: unknown) => {
      if (error instanceof ApiError && error.status === 404) store.act(session.id, { type: "missing" });
    });
  };

  const readShown = async (): Promise<void> => {
    const name = state().panel?.name ?? null;
    if (name === null) return;
    const asked = ++learnt;
    try {
      const { profile } = await api.profile(name);
      if (asked !== learnt) return;
      dispatch({ type: "read", profile });
      // Its provider cannot be asked while its files cannot be read.
      if (state().panel?.models.phase === "idle" && profile.state === "ok") void readModels(name);
    } catch (error) {
      if (asked === learnt) dispatch({ type: "read_failed", name, problem: problemOf(error) });
    }
  };

  /** The answer to a change is the profile: older reads do not count any more. */
  const learn = (profile: ProfileView): void => {
    learnt += 1;
    dispatch({ type: "read", profile });
  };

  const readModels = async (name: string): Promise<void> => {
    const tell = (phase: "loading" | "ready" | "failed", ids: readonly string[], message: string | null) =>
      dispatch({ type: "models", name, models: { phase, ids, message } });
    tell("loading", [], null);
    try {
      const { data } = await api.models(name);
      tell("ready", data.map(({ id }) => id), null); // biome-ignore format: one line
    } catch (error) {
      tell("failed", [], problemOf(error).message);
    }
  };

  const show = (name: string | null): void => {
    dispatch({ type: "shown", name });
    if (name === null) return;
    void readShown();
  };

  /** After a change of keys: what is set, and what the provider says now. */
  const keysChanged = async (profile: string, work: Promise<unknown>): Promise<Outcome<null>> => {
    const outcome = await attempt(async () => {
      await work;
      return null;
    });
    if (outcome.ok) {
      await read();
      if (state().panel?.name === profile) void readModels(profile);
    }
    return outcome;
  };

  const commands: ProfileCommands = {
    open(name) {
      dispatch({ type: "panel", open: true });
      dispatch({ type: "shown", name });
      void read();
    },
    show,
    close: () => dispatch({ type: "panel", open: false }),
    refresh: () => void read(),
    askModels: (name) => void readModels(name),
    choose(name) {
      choice.write(name);
      dispatch({ type: "chosen", name });
    },
    async create(body) {
      const outcome = await attempt(async () => (await api.createProfile(body)).profile);
      await read(); // also after a refusal: there may be one of that name that was not seen yet
      return outcome;
    },
    async change(name, body) {
      const outcome = await attempt(async () => (await api.patchProfile(name, body)).profile);
      if (outcome.ok) {
        learn(outcome.value);
        if (body.model !== undefined) void readModels(name);
      }
      void read();
      return outcome;
    },
    setKey: (profile, name, value) => keysChanged(profile, api.setKey(profile, name, value)),
    removeKey: (profile, name) => keysChanged(profile, api.removeKey(profile, name)),
    async remove(name) {
      const outcome = await attempt(async () => {
        await api.deleteProfile(name);
        return null;
      });
      if (!outcome.ok) {
        void read();
        return outcome;
      }
      if (state().chosen === name) commands.choose(DEFAULT_PROFILE);
      if (state().panel?.name === name) show(null);
      for (const { session } of [...store.state().open.values()])
        if (session?.profile === name) deps.removed(session.id);
      list.changed();
      await read();
      return outcome;
    },
  };

  return {
    commands,
    changed,
    /** A hint of the event stream. */
    hinted(hint: Readonly<Record<string, unknown>>): void {
      if (asksForProfiles(state(), hint)) changed();
    },
    /** What this browser chose last, in whichever tab. */
    recall: () => dispatch({ type: "chosen", name: choice.read() ?? state().chosen }),
  };
};
