import { within } from "../../../common/base/bounded-wait.ts";
import type { PushSubscriptionBody } from "../../../common/contracts/push.ts";
import type { Notifications, NotifyState } from "../model/notify.ts";
import type { Surroundings } from "../net/event-connection.ts";
import { type Api, ApiError } from "../net/http.ts";

/** What a person has said to being notified. */
export type Permission = "default" | "denied" | "granted";

/** The browser's side of Web Push. */
export interface PushPort {
  /** "insecure": over plain http; "unsupported": the browser has no push. */
  support(): "ok" | "insecure" | "unsupported";
  permission(): Permission;
  /** Asks the person; a browser does so only for a click. */
  askPermission(): Promise<Permission>;
  /** What the browser is subscribed to; null: nothing. */
  current(): Promise<PushSubscriptionBody | null>;
  /** Subscribes to the server's key; what another key was subscribed to ends. */
  subscribe(publicKey: string): Promise<PushSubscriptionBody>;
  unsubscribe(): Promise<void>;
}

/** A browser without a push service may never answer. */
const SUBSCRIBE_MS = 20_000;

/**
 * "Notify me when a run ends". The browser's own subscription is the truth of it; the server is told of it again with every visit, and
 * when it could not be told, with the next look at the page: it may have forgotten it (another login, a push service that said so).
 */
export const createNotifications = ({
  api,
  push,
  surroundings,
}: {
  readonly api: Pick<Api, "push" | "subscribePush" | "unsubscribePush">;
  readonly push: PushPort;
  readonly surroundings: Pick<Surroundings, "onReturn">;
}): Notifications => {
  let state: NotifyState = { phase: "off", busy: false, problem: null };
  /** Under which id the server knows the browser; null: it was not told yet. */
  let id: string | null = null;
  const listeners = new Set<() => void>();
  const set = (change: Partial<NotifyState>): void => {
    state = { ...state, ...change };
    for (const listener of listeners) listener();
  };

  const refusal = (): "unsupported" | "insecure" | "denied" | null => {
    const support = push.support();
    if (support !== "ok") return support;
    return push.permission() === "denied" ? "denied" : null;
  };
  const tell = async (subscription: PushSubscriptionBody): Promise<void> => {
    id = (await api.subscribePush(subscription)).subscription.id;
  };
  const look = async (): Promise<void> => {
    if (state.busy) return;
    const refused = refusal();
    if (refused !== null) return set({ phase: refused });
    const found = await push.current().catch(() => null);
    if (state.busy) return;
    set({ phase: found === null ? "off" : "on" });
    // A server that cannot be told now is told with the next look.
    if (found !== null && id === null) await tell(found).catch(() => undefined);
  };

  const switchOn = async (): Promise<void> => {
    if ((await push.askPermission()) !== "granted") return set({ phase: refusal() ?? "off" });
    const { public_key } = await api.push();
    const subscription = await within(push.subscribe(public_key), SUBSCRIBE_MS, null);
    if (subscription === null) throw new Error("the push service does not answer");
    await tell(subscription);
    set({ phase: "on" });
  };
  const switchOff = async (): Promise<void> => {
    const found = await push.current();
    if (found !== null && id === null) await tell(found).catch(() => undefined);
    // First here: what the server cannot be told now, it hears from the push service.
    await push.unsubscribe();
    set({ phase: "off" });
    const known = id;
    id = null;
    if (known !== null) await api.unsubscribePush(known).catch(() => undefined);
  };

  surroundings.onReturn(() => void look());
  void look();

  return {
    getState: () => state,
    subscribe(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    async toggle() {
      if (state.busy) return;
      set({ busy: true, problem: null });
      try {
        await (state.phase === "on" ? switchOff() : switchOn());
      } catch (error) {
        // What a browser says of its push service is nothing that a person could act on.
        const why = error instanceof ApiError ? ` ${error.message}` : "";
        set({ problem: `It could not be switched ${state.phase === "on" ? "off" : "on"}.${why}` });
      } finally {
        set({ busy: false });
      }
    },
  };
};
