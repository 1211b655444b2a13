import assert from "node:assert/strict";
import type { Page } from "playwright-core";
import { type Spec, say, sessionIdOf, settled, shown, until } from "./bench.ts";

const PHONE = { viewport: { width: 390, height: 780 }, hasTouch: true, isMobile: true };
const ground = (page: Page): Promise<string> =>
  page.evaluate("getComputedStyle(document.body).backgroundColor");
const brightness = async (page: Page): Promise<number> => {
  const [r = 0, g = 0, b = 0] = ((await ground(page)).match(/\d+/g) ?? []).map(Number);
  return (r + g + b) / 3;
};
const focused = (page: Page): Promise<string> =>
  page.evaluate("document.activeElement.getAttribute('aria-label') ?? document.activeElement.className");

/** The page for keyboards, phones and both themes. */
export const layoutSpecs: readonly Spec[] = [
  {
    name: "keyboard only: new session, send, stop, walk the list",
    async run(bench) {
      const { page } = await bench.open();
      await page.keyboard.press("Control+k");
      await page.keyboard.type("a slow and long answer");
      await page.keyboard.press("Shift+Enter");
      await page.keyboard.type("in two lines");
      assert.equal(await page.locator("#composer").inputValue(), "a slow and long answer\nin two lines");
      await page.keyboard.press("Enter");
      await shown(page, 10);
      await page.keyboard.press("Escape");
      assert.equal(await focused(page), "Stop the run");
      await page.keyboard.press("Enter");
      await page.locator(".notice").filter({ hasText: "cancelled" }).waitFor();
      const id = sessionIdOf(page);
      await page.keyboard.press("Control+k");
      await page.waitForURL("**/");
      await until("the composer has the focus", async () => (await focused(page)) === "Message");
      await page.keyboard.type("hello");
      await page.keyboard.press("Enter");
      await settled(page);
      await page.locator('.session-link[aria-current="page"]').focus();
      await page.keyboard.press("ArrowDown");
      await page.keyboard.press("Enter");
      await page.waitForURL(`**/s/${id}`);
      await page.locator(".notice").waitFor();
    },
  },
  {
    name: "phone width: the list is a drawer, nothing is wider than the screen",
    async run(bench) {
      const { page } = await bench.open("/", PHONE);
      await say(page, "show me code and a table");
      await settled(page);
      const id = sessionIdOf(page);
      const drawer = page.locator(".sidebar");
      assert.equal(await drawer.isVisible(), false);
      const overflow = await page.evaluate("document.documentElement.scrollWidth - innerWidth");
      assert.equal(overflow, 0);
      await page.getByRole("button", { name: "Open the session list" }).click();
      await drawer.waitFor();
      await page.getByRole("button", { name: "New session" }).first().click();
      await drawer.waitFor({ state: "hidden" });
      await page.getByRole("button", { name: "Open the session list" }).click();
      await page.locator(`.session-link[href="/s/${id}"]`).click();
      await drawer.waitFor({ state: "hidden" });
      await page.locator(".answer table").waitFor();
      await page.getByRole("button", { name: "Open the session list" }).click();
      await page.keyboard.press("Escape");
      await drawer.waitFor({ state: "hidden" });
    },
  },
  {
    name: "dark mode follows the system, and the person's choice outlives a reload",
    async run(bench) {
      const dark = await bench.open("/", { colorScheme: "dark" });
      assert((await brightness(dark.page)) < 60);
      await dark.page.getByRole("button", { name: "Use the light theme" }).click();
      assert((await brightness(dark.page)) > 200);
      await dark.page.reload();
      await dark.page.locator("#composer").waitFor();
      assert((await brightness(dark.page)) > 200);
      const light = await bench.open("/", { colorScheme: "light" });
      assert((await brightness(light.page)) > 200);
    },
  },
  {
    name: "the transcript follows its end only while the reader is there",
    async run(bench) {
      const { page } = await bench.open("/", { viewport: { width: 900, height: 420 } });
      await say(page, "a long answer please");
      await shown(page, 1_000);
      const left = (): Promise<number> =>
        page.evaluate(
          "(() => { const t = document.querySelector('.transcript'); return t.scrollHeight - t.scrollTop - t.clientHeight; })()",
        );
      assert((await left()) < 60, "the end is in view while the answer grows");
      await page.locator(".transcript").hover();
      await page.mouse.wheel(0, -500);
      await page.locator(".jump").waitFor();
      const top = await page.evaluate("document.querySelector('.transcript').scrollTop");
      await settled(page);
      assert.equal(await page.evaluate("document.querySelector('.transcript').scrollTop"), top);
      await page.locator(".jump").click();
      await page.locator(".jump").waitFor({ state: "detached" });
    },
  },
];
