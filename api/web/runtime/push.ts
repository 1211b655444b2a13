import type { PushSubscriptionBody } from "../../../common/contracts/push.ts";
import type { PushPort } from "./notifications.ts";

/** Built beside the page by Vite, under this name. */
const WORKER = "/push-worker.js";

/** Answers the service worker that asks where this window is; see `push-worker.ts`. */
const sayWhere = (): void => {
  if (!("serviceWorker" in navigator)) return;
  navigator.serviceWorker.addEventListener("message", ({ data, ports }) => {
    if (data === "where") ports[0]?.postMessage(location.pathname);
  });
  navigator.serviceWorker.startMessages();
};

/** The browser's push behind the small interface that the runtime asks for. */
export const browserPush = (): PushPort => {
  sayWhere();
  return PORT;
};

const PORT: PushPort = {
  support() {
    if (!window.isSecureContext) return "insecure";
    return "serviceWorker" in navigator && "PushManager" in window && "Notification" in window
      ? "ok"
      : "unsupported";
  },
  permission: () => Notification.permission,
  askPermission: () => Notification.requestPermission(),
  async current() {
    const registration = await navigator.serviceWorker.getRegistration("/");
    const found = await registration?.pushManager.getSubscription();
    return found === null || found === undefined ? null : bodyOf(found);
  },
  async subscribe(publicKey) {
    await navigator.serviceWorker.register(workerUrl(), { scope: "/" });
    const { pushManager } = await navigator.serviceWorker.ready;
    const old = await pushManager.getSubscription();
    if (old !== null && !isFor(old, publicKey)) await old.unsubscribe();
    return bodyOf(await pushManager.subscribe({ userVisibleOnly: true, applicationServerKey: publicKey }));
  },
  async unsubscribe() {
    const registration = await navigator.serviceWorker.getRegistration("/");
    await (await registration?.pushManager.getSubscription())?.unsubscribe();
  },
};

const bodyOf = (subscription: PushSubscription): PushSubscriptionBody => {
  const { endpoint = "", expirationTime = null, keys = {} } = subscription.toJSON();
  return { endpoint, expirationTime, keys: { p256dh: keys.p256dh ?? "", auth: keys.auth ?? "" } };
};

const isFor = ({ options }: PushSubscription, publicKey: string): boolean => {
  const key = new Uint8Array(options.applicationServerKey ?? new ArrayBuffer(0));
  const text = btoa(String.fromCharCode(...key));
  return text.replaceAll("+", "-").replaceAll("/", "_").replace(/=+$/, "") === publicKey;
};

interface TrustedTypes {
  createPolicy(
    name: string,
    rules: { readonly createScriptURL: () => string },
  ): { createScriptURL(input: string): unknown };
}

/** The page's policy takes no plain text for a script's address; this one can make no other. */
const workerUrl = (): string => {
  const { trustedTypes } = globalThis as { trustedTypes?: TrustedTypes };
  if (trustedTypes === undefined) return WORKER;
  policy ??= trustedTypes.createPolicy("talaria-push-worker", { createScriptURL: () => WORKER });
  return policy.createScriptURL(WORKER) as string;
};
let policy: ReturnType<TrustedTypes["createPolicy"]> | null = null;
