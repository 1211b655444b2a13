import assert from "node:assert/strict";
import {
  answers,
  assertWholeAndOnce,
  flat,
  type Spec,
  say,
  sessionIdOf,
  settled,
  shown,
  stateLine,
  storedMessages,
} from "./bench.ts";

/** A person at work with the demo model. */
export const workSpecs: readonly Spec[] = [
  {
    name: "a conversation of two turns, in the list, at its address",
    async run(bench) {
      const { page } = await bench.open();
      await say(page, "a long answer please");
      await settled(page);
      await assertWholeAndOnce(bench, page);
      await say(page, "and another long answer please");
      await stateLine(page, /Writing|Thinking/).waitFor();
      await settled(page);
      await assertWholeAndOnce(bench, page);
      assert.equal(await page.locator(".user-bubble").count(), 2);
      await page.locator(`.session-link[href="/s/${sessionIdOf(page)}"][aria-current="page"]`).waitFor();
    },
  },
  {
    name: "Markdown, reasoning and tools appear without breaking the content security policy",
    async run(bench) {
      const { page } = await bench.open();
      await say(page, "show me code and a table");
      await page.locator(".answer pre code").first().waitFor();
      await page.locator(".answer table td").first().waitFor();
      await settled(page);
      assert.equal(await page.locator(".answer img[src^=http]").count(), 0);
      await say(page, "list files");
      const tool = page.locator(".card.tool");
      await tool.filter({ hasText: "done" }).waitFor();
      await tool.getByRole("button").first().click();
      await tool.getByText("Arguments").waitFor();
      await settled(page);
      await say(page, "think about it");
      const thought = page.locator(".card.reasoning").last();
      await thought.waitFor();
      await settled(page);
      await thought.getByRole("button").click();
      await thought.locator(".card-body").waitFor();
    },
  },
  {
    name: "stop keeps the partial text and names the assistant, also after a reload",
    async run(bench) {
      await bench.api("PATCH", "/api/settings", { bot_name: " Obryn " });
      try {
        const { page } = await bench.open();
        await say(page, "a slow and long answer");
        const partial = await shown(page, 20);
        await page.getByRole("button", { name: "Stop the run" }).click();
        const notice = page.locator(".notice").filter({ hasText: "before Obryn finished" });
        await notice.waitFor();
        const kept = flat(await answers(page));
        assert(kept.startsWith(partial), `"${kept}" does not go on from "${partial}"`);
        await page.reload();
        await notice.waitFor();
        assert.equal(flat(await answers(page)), kept);
        assert.equal(await page.locator(".notice").count(), 1);
        await say(page, "hello");
        await settled(page);
      } finally {
        await bench.api("PATCH", "/api/settings", { bot_name: null });
      }
    },
  },
  {
    name: "a message sent while a run is active waits its turn and can be taken back",
    async run(bench) {
      const { page } = await bench.open();
      await say(page, "a slow and long answer");
      await shown(page, 10);
      await say(page, "hello");
      await say(page, "take me out");
      await page.locator(".queued-note").filter({ hasText: "number 2" }).getByRole("button").click();
      await page.locator(".notice").filter({ hasText: "before start" }).waitFor();
      await page.getByRole("button", { name: "Stop the run" }).click();
      await settled(page);
      const roles = (await storedMessages(bench, sessionIdOf(page))).filter((m) => m.role === "user");
      assert.deepEqual(
        roles.map((m) => m.content),
        ["a slow and long answer", "hello", "take me out"],
      );
      assert.deepEqual(
        (await page.locator(".user-bubble").allInnerTexts()).map((text) => text.replace(/^You:\s*/, "")),
        ["a slow and long answer", "hello", "take me out"],
      );
    },
  },
  {
    name: "start-timeout-retry (C-4): a lost answer is asked for again and the message stands once",
    async run(bench) {
      const { page } = await bench.open();
      let lost = 0;
      await page.route("**/api/sessions/*/runs", async (route) => {
        if (lost++ > 0) return route.continue();
        await route.fetch();
        await route.abort();
      });
      await say(page, "hello");
      await settled(page);
      assert.equal(lost, 2);
      assert.equal(await page.locator(".user-bubble").count(), 1);
      const stored = await storedMessages(bench, sessionIdOf(page));
      assert.equal(stored.filter((m) => m.role === "user").length, 1);
    },
  },
  {
    name: "a message that cannot be sent goes back to the composer, with the reason",
    async run(bench) {
      const { page } = await bench.open();
      await say(page, "hello");
      await settled(page);
      await page.route("**/api/sessions/*/runs", (route) => route.abort());
      await say(page, "keep me");
      await page.locator(".toast").filter({ hasText: "not sent" }).waitFor({ timeout: 30_000 });
      assert.equal(await page.locator("#composer").inputValue(), "keep me");
      await page.unroute("**/api/sessions/*/runs");
      await page.locator("#composer").press("Enter");
      await page.locator(".user-bubble").nth(1).waitFor();
      await settled(page);
    },
  },
  {
    name: "stop-request-fails (C-20): the turn goes on, the person is told, the button works again",
    async run(bench) {
      const { page } = await bench.open();
      await say(page, "a slow and long answer");
      await shown(page, 10);
      await page.route("**/api/runs/*/cancel", (route) => route.abort());
      const stop = page.getByRole("button", { name: "Stop the run" });
      await stop.click();
      await page.locator(".toast").filter({ hasText: "could not be stopped" }).waitFor();
      const before = await shown(page, 10);
      await shown(page, before.length);
      await page.unroute("**/api/runs/*/cancel");
      await stop.click();
      await page.locator(".notice").filter({ hasText: "cancelled" }).waitFor();
    },
  },
  {
    name: "sessions are renamed, found and deleted",
    async run(bench) {
      const { page } = await bench.open();
      await say(page, "hello");
      await settled(page);
      const id = sessionIdOf(page);
      await page.locator(".title-button").click();
      await page.locator(".chat-head .title-field").fill("Zephyr and the letters");
      await page.keyboard.press("Enter");
      const link = page.locator(`.session-link[href="/s/${id}"]`);
      await link.filter({ hasText: "Zephyr" }).waitFor();
      await page.getByRole("searchbox").fill("no such title at all");
      await page.getByText("Nothing matches.").waitFor();
      await page.getByRole("searchbox").fill("zephyr");
      await link.waitFor();
      await link.hover();
      await page.getByRole("button", { name: "Delete Zephyr" }).click();
      await page.getByRole("button", { name: "Delete", exact: true }).click();
      await link.waitFor({ state: "detached" });
      await page.waitForURL("**/");
      await page.goto(`${bench.url}/s/${id}`);
      await page.getByText("This session is not here").waitFor();
    },
  },
  {
    name: "a draft is kept per session, over a reload",
    async run(bench) {
      const { page } = await bench.open();
      await say(page, "hello");
      await settled(page);
      await page.locator("#composer").fill("half a thought");
      await page.getByRole("button", { name: "New session" }).first().click();
      await page.waitForURL("**/");
      assert.equal(await page.locator("#composer").inputValue(), "");
      await page.goBack();
      await page.reload();
      await page.locator(".user-bubble").waitFor();
      assert.equal(await page.locator("#composer").inputValue(), "half a thought");
    },
  },
];
