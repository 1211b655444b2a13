import assert from "node:assert/strict";
import type { MessagePage } from "../../common/contracts/http.ts";
import { type Spec, say, sessionIdOf, sessionOf, settled, until } from "./bench.ts";
import { outside } from "./outside.spec.ts";

/** Cards that tell what a conversation was about (background-jobs 3.2). */
export const recapsSpecs: readonly Spec[] = [
  {
    name: "B-33 a recap is offered after ten rounds, made once, shown in every tab and after a reload, and counts as nothing",
    async run(bench) {
      const { page, context } = await bench.open("/");
      await say(page, "Which colour should the shed have?");
      await settled(page);
      const id = sessionIdOf(page);
      await page.getByRole("button", { name: "New session" }).first().click();
      outside(bench, "--append", id, "20", "--tool-ratio", "0", "--multimodal", "0", "--now");
      await until("they are counted", async () => (await sessionOf(bench, id)).unread_count === 20);
      await page.locator(`.session-link[href$="${id}"]`).click();
      const offer = page.getByRole("button", { name: "Catch up: what happened here" });
      await offer.waitFor();
      const other = await bench.tab(context, `/s/${id}`);
      await offer.click();
      for (const tab of [page, other]) {
        const card = tab.getByRole("complementary", { name: "Recap" });
        await card.waitFor();
        assert.equal(await card.locator("li").count(), 3);
      }
      assert.equal(await offer.count(), 0);
      // Once more without anything new: the same card.
      await page.getByRole("button", { name: "Session menu" }).click();
      await page.getByRole("menuitem", { name: "Recap what happened" }).click();
      await page.locator(".recap-card.flash").waitFor();
      await page.reload();
      await page.getByRole("complementary", { name: "Recap" }).waitFor();
      assert.equal(await page.locator(".recap-card").count(), 1);
      const stored = await bench.api<MessagePage>("GET", `/api/sessions/${id}/messages?limit=200`);
      assert.equal(stored.recaps.length, 1);
      assert.equal((await sessionOf(bench, id)).message_count, stored.data.length);

      await page.getByRole("button", { name: "Session menu" }).click();
      await page.getByRole("menuitem", { name: "Write a hand-off" }).click();
      await page.getByRole("complementary", { name: "Hand-off" }).waitFor();
      await say(page, "And the door?");
      await settled(page);
      assert.equal(await page.locator(".recap-card").count(), 2);
    },
  },
  {
    name: "a recap that is on its way can be given up, and a failed one is told",
    async run(bench) {
      const { page } = await bench.open("/");
      await say(page, "Tell me about sheds");
      await settled(page);
      const id = sessionIdOf(page);
      const job = {
        ...{ id: `recap-${id}-x`, kind: "recap", session_id: id, profile: "default", state: "running" },
        ...{ reason: null, progress: null, result: null, attempt: 1, input_revision: 0 },
        ...{ created_at: Date.now() / 1000, started_at: 1, ended_at: null as number | null },
      };
      await page.route("**/recap", (route) => route.fulfill({ status: 202, json: { job } }));
      await page.route("**/cancel", (route) =>
        route.fulfill({ json: { job: { ...job, state: "cancelled", ended_at: 2 } } }),
      );
      const ask = async (): Promise<void> => {
        await page.getByRole("button", { name: "Session menu" }).click();
        await page.getByRole("menuitem", { name: "Recap what happened" }).click();
      };
      await ask();
      const line = page.locator(".recap-line");
      await line.getByText("Reading back through the conversation…").waitFor();
      await line.getByRole("button", { name: "Cancel" }).click();
      await line.waitFor({ state: "detached" });
      Object.assign(job, {
        state: "failed",
        reason: "worker_crashed",
        ended_at: 3,
        created_at: job.created_at + 1,
      });
      await ask();
      await line.getByText("No recap was made.").waitFor();
      await page.unroute("**/recap");
      await line.getByRole("button", { name: "Try again" }).click();
      await page.getByRole("complementary", { name: "Recap" }).waitFor();
    },
  },
];
