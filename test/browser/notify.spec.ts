import assert from "node:assert/strict";
import type { BrowserContext, CDPSession, Page } from "playwright-core";
import type { PushBrowser } from "../../common/contracts/push.ts";
import { createPushBrowser } from "../helpers/push-browser.ts";
import { type Bench, type Spec, say, sessionIdOf, settled, until } from "./bench.ts";

const told = async (bench: Bench): Promise<readonly PushBrowser[]> =>
  (await bench.api<{ data: PushBrowser[] }>("GET", "/api/push/subscriptions")).data;
const toggle = (page: Page) => page.getByRole("switch", { name: "Notify me when a run ends" });

/** Stands in for the push service that a headless browser does not have; everything else is the browser's own. */
const withPushService = async (context: BrowserContext): Promise<void> => {
  const { endpoint, keys } = createPushBrowser().subscription("https://push.example/send/browser");
  await context.addInitScript(`{
    let current = null;
    const make = () => ({
      endpoint: ${JSON.stringify(endpoint)}, options: {},
      toJSON: () => (${JSON.stringify({ endpoint, expirationTime: null, keys })}),
      unsubscribe: async () => { current = null; return true; },
    });
    PushManager.prototype.subscribe = async () => (current = make());
    PushManager.prototype.getSubscription = async () => current;
  }`);
};

/** What the service worker shows. */
const shown = (page: Page): Promise<{ title: string; body: string; tag: string }[]> =>
  page.evaluate(`navigator.serviceWorker.ready
    .then((registration) => registration.getNotifications())
    .then((all) => all.map(({ title, body, tag }) => ({ title, body, tag })))`);

const pusher = async (context: BrowserContext, page: Page): Promise<(message: unknown) => Promise<void>> => {
  const cdp: CDPSession = await context.newCDPSession(page);
  const registered = new Promise<string>((resolve) =>
    cdp.on("ServiceWorker.workerRegistrationUpdated", ({ registrations }) => {
      const [found] = registrations;
      if (found !== undefined) resolve(found.registrationId);
    }),
  );
  await cdp.send("ServiceWorker.enable");
  const registrationId = await registered;
  const origin = new URL(page.url()).origin;
  return async (message) =>
    void (await cdp.send("ServiceWorker.deliverPushMessage", {
      ...{ origin, registrationId, data: JSON.stringify(message) },
    }));
};

/** Web Push in the page: the switch, and what its service worker shows. */
export const notifySpecs: readonly Spec[] = [
  {
    name: "notify: switched on, the server knows the browser; its worker shows what is pushed, unless somebody looks; and off again",
    async run(bench) {
      const { page: first, context } = await bench.open("/");
      await context.grantPermissions(["notifications"], { origin: bench.url });
      await withPushService(context);
      await first.close();
      const page = await bench.tab(context, "/");
      await toggle(page).click();
      await page.locator("[role=switch][aria-checked=true]").waitFor();
      assert.deepEqual(
        (await told(bench)).map(({ service }) => service),
        ["push.example"],
      );

      const push = await pusher(context, page);
      const message = { session_id: "ses_elsewhere", title: "Trip to Lisbon", event: "run.completed" };
      await push(message);
      await until("it is shown", async () => (await shown(page)).length === 1);
      assert.deepEqual(await shown(page), [
        { title: "Trip to Lisbon", body: "The answer is there.", tag: "ses_elsewhere" },
      ]);
      // The newest of a session takes the place of the one before.
      await push({ ...message, event: "run.waiting" });
      await until(
        "it is shown instead",
        async () => (await shown(page))[0]?.body === "Your answer is needed.",
      );
      assert.equal((await shown(page)).length, 1);

      // Nothing of the session that is looked at.
      await say(page, "Hello");
      await settled(page);
      await page.bringToFront();
      await push({ ...message, session_id: sessionIdOf(page), title: "Seen" });
      await push({ ...message, session_id: "ses_third", title: "Third" });
      await until("the later one is shown", async () =>
        (await shown(page)).some(({ title }) => title === "Third"),
      );
      assert.deepEqual(
        (await shown(page)).filter(({ title }) => title === "Seen"),
        [],
      );

      await toggle(page).click();
      await page.locator("[role=switch][aria-checked=false]").waitFor();
      await until("the server has forgotten it", async () => (await told(bench)).length === 0);
    },
  },
  {
    name: "notify: where the browser says no, the page says so, and the switch does nothing",
    async run(bench) {
      const { page, context } = await bench.open("/");
      await context.addInitScript(
        "Object.defineProperty(Notification, 'permission', { get: () => 'denied' })",
      );
      await page.reload();
      await page.getByText("Blocked for this page in the browser’s settings.").waitFor();
      await toggle(page).click({ force: true });
      assert.equal(await toggle(page).getAttribute("aria-checked"), "false");
      assert.deepEqual(await told(bench), []);
    },
  },
];
