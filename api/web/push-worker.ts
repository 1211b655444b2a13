import { isWatched, notificationOf, pathOf } from "./model/push-message.ts";

/**
 * The service worker: shows what the server tells by Web Push, and opens the session on a click. It answers no request of the page and
 * keeps nothing.
 */

/** What is used of a service worker's scope; the page's types are those of a window. */
interface WorkerScope {
  readonly registration: {
    showNotification(title: string, options: NotificationOptions): Promise<void>;
    readonly pushManager: PushManager;
  };
  readonly clients: {
    matchAll(options: object): Promise<readonly WindowClient[]>;
    openWindow(url: string): Promise<WindowClient | null>;
    claim(): Promise<void>;
  };
  skipWaiting(): Promise<void>;
  addEventListener(type: "install" | "activate", listener: (event: Extendable) => void): void;
  addEventListener(
    type: "push",
    listener: (event: Extendable & { readonly data: { json(): unknown } | null }) => void,
  ): void;
  addEventListener(
    type: "notificationclick",
    listener: (event: Extendable & { readonly notification: Notification }) => void,
  ): void;
  addEventListener(
    type: "pushsubscriptionchange",
    listener: (event: Extendable & { readonly oldSubscription?: PushSubscription | null }) => void,
  ): void;
}
interface Extendable {
  waitUntil(work: Promise<unknown>): void;
}
interface WindowClient {
  readonly url: string;
  readonly focused: boolean;
  focus(): Promise<unknown>;
}

const scope = self as unknown as WorkerScope;
const windows = () => scope.clients.matchAll({ type: "window", includeUncontrolled: true });

scope.addEventListener("install", (event) => event.waitUntil(scope.skipWaiting()));
scope.addEventListener("activate", (event) => event.waitUntil(scope.clients.claim()));

scope.addEventListener("push", (event) => {
  event.waitUntil(show(event.data));
});
const show = async (data: { json(): unknown } | null): Promise<void> => {
  const message = notificationOf(parsed(data));
  if (message === null || isWatched(await windows(), message.sessionId)) return;
  const { title, body, sessionId } = message;
  // One per session: the newest takes the place of the one before.
  await scope.registration.showNotification(title, {
    ...{ body, tag: sessionId, icon: "/favicon.svg", data: { sessionId } },
  });
};
const parsed = (data: { json(): unknown } | null): unknown => {
  try {
    return data?.json();
  } catch {
    return null;
  }
};

scope.addEventListener("notificationclick", (event) => {
  event.notification.close();
  const { sessionId } = event.notification.data as { readonly sessionId: string };
  event.waitUntil(open(sessionId));
});
const open = async (sessionId: string): Promise<void> => {
  const shown = (await windows()).find(({ url }) => URL.parse(url)?.pathname === pathOf(sessionId));
  if (shown === undefined) await scope.clients.openWindow(pathOf(sessionId));
  else await shown.focus();
};

/** The push service gave the browser another address: the server is told, with the login that the browser has. */
scope.addEventListener("pushsubscriptionchange", (event) => {
  event.waitUntil(subscribeAgain(event.oldSubscription?.options.applicationServerKey ?? null));
});
const subscribeAgain = async (applicationServerKey: ArrayBuffer | null): Promise<void> => {
  if (applicationServerKey === null) return;
  const made = await scope.registration.pushManager.subscribe({
    userVisibleOnly: true,
    applicationServerKey,
  });
  await fetch("/api/push/subscriptions", {
    ...{ method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(made) },
  });
};
