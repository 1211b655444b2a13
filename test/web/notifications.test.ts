import { describe, expect, it } from "@jest/globals";
import { isSwitchable, notifyHint } from "../../api/web/model/notify.ts";
import { isWatched, notificationOf } from "../../api/web/model/push-message.ts";
import { ApiError } from "../../api/web/net/http.ts";
import { createNotifications, type Permission, type PushPort } from "../../api/web/runtime/notifications.ts";
import type { PushSubscriptionBody } from "../../common/contracts/push.ts";

const BODY: PushSubscriptionBody = { endpoint: "https://push.example/1", keys: { p256dh: "p", auth: "a" } };

/** A browser and a server that do what the test says. */
const scene = (given: Partial<PushPort> & { readonly subscribed?: boolean } = {}) => {
  let current = given.subscribed === true ? BODY : null;
  let back = (): void => {};
  const calls: string[] = [];
  let refusal: ApiError | null = null;
  const push: PushPort = {
    support: () => "ok",
    permission: () => "default",
    askPermission: async () => "granted",
    current: async () => current,
    subscribe: async (key) => {
      calls.push(`subscribe ${key}`);
      current = BODY;
      return BODY;
    },
    unsubscribe: async () => {
      current = null;
    },
    ...given,
  };
  const notifications = createNotifications({
    push,
    surroundings: {
      onReturn: (listener) => {
        back = listener;
        return () => {};
      },
    },
    api: {
      push: async () => ({ public_key: "KEY" }),
      subscribePush: async ({ endpoint }) => {
        calls.push(`tell ${endpoint}`);
        if (refusal !== null) throw refusal;
        return { subscription: { id: "push_1", service: "push.example", created_at: 1 } };
      },
      unsubscribePush: async (id) => void calls.push(`untell ${id}`),
    },
  });
  const settled = () => new Promise<void>((resolve) => setTimeout(resolve, 0));
  return {
    notifications,
    calls,
    settled,
    comeBack: () => back(),
    refuse: (error: ApiError | null) => {
      refusal = error;
    },
  };
};

describe("the switch", () => {
  it("asks, subscribes to the server's key, tells the server; and takes all of it back", async () => {
    const { notifications, calls, settled } = scene();
    await settled();
    expect(notifications.getState()).toEqual({ phase: "off", busy: false, problem: null });
    await notifications.toggle();
    expect(notifications.getState().phase).toBe("on");
    await notifications.toggle();
    expect(notifications.getState().phase).toBe("off");
    expect(calls).toEqual(["subscribe KEY", "tell https://push.example/1", "untell push_1"]);
  });

  it.each([
    ["unsupported", "This browser cannot be notified."],
    ["insecure", "Notifications need https."],
  ] as const)("%s is said, and cannot be switched", async (support, words) => {
    const { notifications, settled } = scene({ support: () => support });
    await settled();
    expect(notifyHint(notifications.getState())).toBe(words);
    expect(isSwitchable(notifications.getState())).toBe(false);
  });

  it("a person who says no is told where to say yes", async () => {
    let permission: Permission = "default";
    const { notifications, calls } = scene({
      permission: () => permission,
      askPermission: async () => {
        permission = "denied";
        return permission;
      },
    });
    await notifications.toggle();
    expect(notifyHint(notifications.getState())).toBe("Blocked for this page in the browser’s settings.");
    expect(calls).toEqual([]);
  });

  it("a push service that fails is said in plain words, without the browser's own", async () => {
    const subscribe = () => Promise.reject(new Error("Registration failed - push service error 17"));
    const { notifications } = scene({ subscribe });
    await notifications.toggle();
    expect(notifications.getState()).toEqual({
      phase: "off",
      busy: false,
      problem: "It could not be switched on.",
    });
  });

  it("a browser that is subscribed is told of with each visit, and again when the server could not be told", async () => {
    const { notifications, calls, settled, comeBack, refuse } = scene({ subscribed: true });
    refuse(new ApiError("unauthorized", "Log in first.", 401));
    await settled();
    expect(notifications.getState().phase).toBe("on");
    refuse(null);
    for (let n = 0; n < 3; n++) {
      comeBack();
      await settled();
    }
    // Refused with the first look, told with the second, and then not again.
    expect(calls).toEqual(["tell https://push.example/1", "tell https://push.example/1"]);
  });
});

describe("what is shown", () => {
  it("the session's title and what happened", () => {
    const message = { session_id: "ses_1", title: "Trip", event: "run.completed" };
    expect(notificationOf(message)).toEqual({
      title: "Trip",
      body: "The answer is there.",
      sessionId: "ses_1",
    });
    expect(notificationOf({ ...message, title: null, event: "run.waiting" })).toMatchObject({
      ...{ title: "Untitled session", body: "Your answer is needed." },
    });
  });

  it.each([
    null,
    "text",
    1,
    {},
    { session_id: "../evil", event: "run.completed" },
    { session_id: "s", event: "x" },
  ])("nothing of what is none of ours (%j)", (message) => expect(notificationOf(message)).toBeNull());

  it("nothing while somebody looks at the session", () => {
    const at = (path: string | null, focused = true) => [{ path, focused }];
    expect(isWatched(at("/s/ses_1"), "ses_1")).toBe(true);
    expect(isWatched(at("/s/ses_1", false), "ses_1")).toBe(false);
    expect(isWatched(at("/s/ses_10"), "ses_1")).toBe(false);
    expect(isWatched(at("/"), "ses_1")).toBe(false);
    expect(isWatched(at(null), "ses_1")).toBe(false);
    expect(isWatched([], "ses_1")).toBe(false);
  });
});
