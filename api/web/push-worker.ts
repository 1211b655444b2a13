import { isAt, isWatched, notificationOf, type PageWindow, pathOf } from "./model/push-message.ts";

/*
 * It is one file for the browser: what it imports must not be imported by the page, too, or both would share a third file.
 */

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
  readonly focused: boolean;
  focus(): Promise<unknown>;
  postMessage(message: unknown, transfer: readonly MessagePort[]): void;
}

const scope = self as unknown as WorkerScope;

/** A window that does not answer in this time shows no session, in milliseconds. */
const ANSWER_MS = 500;

/** The page's windows. What a browser says of their address is the one that they were opened with, so they are asked. */
const windows = async (): Promise<readonly (PageWindow & { readonly client: WindowClient })[]> => {
  const clients = await scope.clients.matchAll({ type: "window", includeUncontrolled: true });
  return Promise.all(
    clients.map(async (client) => ({ client, focused: client.focused, path: await pathAt(client) })),
  );
};
const pathAt = (client: WindowClient): Promise<string | null> =>
  new Promise((resolve) => {
    const { port1, port2 } = new MessageChannel();
    const timer = setTimeout(() => resolve(null), ANSWER_MS);
    port1.onmessage = ({ data }) => {
      clearTimeout(timer);
      resolve(typeof data === "string" ? data : null);
    };
    client.postMessage("where", [port2]);
  });

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
  const shown = (await windows()).find((page) => isAt(page, sessionId));
  if (shown === undefined) await scope.clients.openWindow(pathOf(sessionId));
  else await shown.client.focus();
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
