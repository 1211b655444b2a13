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
  until,
} from "./bench.ts";

/** Streams that are cut, doubled and resumed: the text is whole and once. */
export const streamSpecs: readonly Spec[] = [
  {
    name: "reload-at-random (R-38): reloads in mid-answer lose nothing and repeat nothing",
    async run(bench) {
      const { page } = await bench.open();
      await say(page, "a long answer please");
      let seen = "";
      for (const more of [15, 60, 200]) {
        seen = await shown(page, seen.length + more);
        await page.reload();
        const again = await shown(page, seen.length - 1);
        assert(again.startsWith(seen), "what was shown before the reload is missing after it");
      }
      await settled(page);
      await assertWholeAndOnce(bench, page);
    },
  },
  {
    name: "second-tab-does-not-eat-gap (R-27): two tabs show the same, one of them was away",
    async run(bench) {
      const { page, context } = await bench.open();
      await say(page, "a long answer please");
      await shown(page, 20);
      const other = await bench.tab(context, `/s/${sessionIdOf(page)}`);
      await shown(other, 40);
      const elsewhere = await bench.open(`/s/${sessionIdOf(page)}`);
      await shown(elsewhere.page, 60);
      await elsewhere.context.setOffline(true);
      await shown(page, 300);
      await elsewhere.context.setOffline(false);
      for (const one of [page, other, elsewhere.page]) {
        await settled(one);
        await assertWholeAndOnce(bench, one);
      }
    },
  },
  {
    name: "offline in mid-answer: the text stays, says so, and is whole and once after",
    async run(bench) {
      const { page, context } = await bench.open();
      await say(page, "a slow and long answer");
      await shown(page, 20);
      await context.setOffline(true);
      await stateLine(page, "You are offline").waitFor();
      const before = flat(await answers(page));
      assert(before.length > 20);
      await new Promise((resolve) => setTimeout(resolve, 3_000)); // the network is away for a while
      assert.equal(flat(await answers(page)), before);
      await context.setOffline(false);
      const after = await shown(page, before.length + 20);
      assert(after.startsWith(before));
      await settled(page);
      await assertWholeAndOnce(bench, page);
    },
  },
  {
    name: "a run that ended while the page was offline is there at once when it returns (R-32)",
    async run(bench) {
      const { page, context } = await bench.open();
      await say(page, "hello");
      await settled(page);
      const id = sessionIdOf(page);
      await context.setOffline(true);
      await stateLine(page, "You are offline").waitFor();
      const { run } = await bench.api<{ run: { id: string } }>("POST", `/api/sessions/${id}/runs`, {
        input: "a long answer",
      });
      await until("the run is completed", async () => {
        const { run: now } = await bench.api<{ run: { status: string } }>("GET", `/api/runs/${run.id}`);
        return now.status === "completed";
      });
      await context.setOffline(false);
      await page.locator(".user-bubble").nth(1).waitFor();
      await page.locator(".turn").nth(1).locator(".answer").waitFor();
      await page.locator('.turn[data-live="true"]').waitFor({ state: "detached" });
      const count = await page.locator(".user-bubble").count();
      assert.equal(count, 2);
    },
  },
  {
    name: "switch-away-and-back (R-48) and cross-session-isolation (R-49)",
    async run(bench) {
      const { page } = await bench.open();
      await say(page, "a long answer please");
      const first = await shown(page, 20);
      const a = sessionIdOf(page);
      await page.keyboard.press("Control+k");
      await page.waitForURL("**/");
      await say(page, "show me a table");
      await page.locator(".answer table").waitFor();
      const b = sessionIdOf(page);
      assert(!(await answers(page)).includes(first));
      for (let i = 0; i < 5; i++) {
        await page.locator(`.session-link[href="/s/${a}"]`).click();
        await shown(page, first.length);
        assert.equal(await page.locator(".answer table").count(), 0);
        await page.locator(`.session-link[href="/s/${b}"]`).click();
        await page.locator(".answer table").waitFor();
        assert.equal(await page.locator(".user-bubble").count(), 1);
      }
      await page.locator(`.session-link[href="/s/${a}"]`).click();
      await settled(page);
      await assertWholeAndOnce(bench, page);
    },
  },
  {
    name: "one-connection-per-tab (R-1): a tab holds one event stream, whatever it does",
    async run(bench) {
      const { page } = await bench.open();
      let open = 0;
      let most = 0;
      const isStream = (url: string): boolean => /\/events(\?|$)/.test(url);
      page.on("request", (request) => {
        if (!isStream(request.url())) return;
        open += 1;
        most = Math.max(most, open);
      });
      const closed = (request: { url(): string }): void => {
        if (isStream(request.url())) open -= 1;
      };
      page.on("requestfailed", closed);
      page.on("requestfinished", closed);
      await page.reload();
      await say(page, "hello");
      await settled(page);
      await page.keyboard.press("Control+k");
      await say(page, "hello again");
      await settled(page);
      assert(open <= 1, `${open} streams are open`);
      assert(most <= 2, `${most} streams were open at a time`); // the old one is cut as the new one begins
    },
  },
];
