import assert from "node:assert/strict";
import type { ContextInfo } from "../../common/contracts/context.ts";
import type { Job } from "../../common/contracts/job.ts";
import { type Bench, type Spec, say, sessionIdOf, settled, until } from "./bench.ts";

const LONG = "the harbour and its boats, one after the other, with all their names and colours ".repeat(12);

/** A session whose turns were made without the page. */
const talk = async (bench: Bench, turns: number): Promise<string> => {
  const { session } = await bench.api<{ session: { id: string } }>("POST", "/api/sessions", {
    title: "Boats",
  });
  for (let n = 0; n < turns; n++) {
    const input = `Question ${n}: ${LONG}`;
    const { run } = await bench.api<{ run: { id: string } }>("POST", `/api/sessions/${session.id}/runs`, {
      input,
    });
    await until("the run ends", async () => {
      const { run: now } = await bench.api<{ run: { status: string } }>("GET", `/api/runs/${run.id}`);
      return now.status === "completed";
    });
  }
  return session.id;
};
const contextsOf = async (bench: Bench, id: string) =>
  (await bench.api<{ data: ContextInfo[] }>("GET", `/api/sessions/${id}/contexts`)).data;

/** What the model is sent of a conversation (background-jobs 2). */
export const compressionSpecs: readonly Spec[] = [
  {
    name: "B-22 compression on request: preview, progress, a quiet border with its summary, in every tab; the conversation stays",
    async run(bench) {
      const id = await talk(bench, 4);
      const { page, context } = await bench.open(`/s/${id}`);
      const other = await bench.tab(context, `/s/${id}`);
      await page.locator(".turn").nth(3).waitFor();
      await page.getByRole("button", { name: "Session menu" }).click();
      await page.getByRole("menuitem", { name: "Compress the conversation…" }).click();
      const dialog = page.getByRole("dialog", { name: "Compress the conversation" });
      await dialog.getByText("6 summarised, 2 kept").waitFor();
      await dialog.getByLabel("Focus (optional)").fill("the red boats");
      await dialog.getByRole("button", { name: "Compress" }).click();
      await dialog.waitFor({ state: "detached" });
      for (const tab of [page, other]) {
        await tab.getByText(/Context compressed: [\d,]+ → [\d,]+ tokens/).waitFor();
        // Nothing of its progress remains (B-28).
        await tab.locator(".compression-line").waitFor({ state: "detached" });
        assert.equal(await tab.locator(".turn").count(), 4);
      }
      const border = page.locator(".context-divider");
      assert.equal(await border.count(), 1);
      const order = await page
        .locator(".turns > *")
        .evaluateAll((elements) => elements.map((element) => element.className));
      assert.deepEqual(order, ["turn", "turn", "turn", "context-divider", "turn"]);
      await border.locator("summary").click();
      await border.getByText("The user wrote: Question 0").waitFor();
      await border.getByText("Focus: the red boats").waitFor();
      await page.reload();
      await page.locator(".context-divider").waitFor();
      await say(page, "hello");
      await settled(page);
      assert.equal((await contextsOf(bench, id)).length, 1);
    },
  },
  {
    name: "B-22: a conversation that is too short says so before anything is done",
    async run(bench) {
      const { page } = await bench.open("/");
      await say(page, "hello");
      await settled(page);
      await page.getByRole("button", { name: "Session menu" }).click();
      await page.getByRole("menuitem", { name: "Compress the conversation…" }).click();
      await page.getByText("There is nothing to summarise yet.").waitFor();
      assert(await page.getByRole("button", { name: "Compress", exact: true }).isDisabled());
      await page.keyboard.press("Escape");
      assert.deepEqual(await contextsOf(bench, sessionIdOf(page)), []);
    },
  },
  {
    name: "B-20, B-21: what is told of a compression that goes on, was not applied, or failed",
    async run(bench) {
      const id = await talk(bench, 1);
      const { page } = await bench.open(`/s/${id}`);
      await page.locator(".turn").waitFor();
      // As its events would tell it: the demo model is too quick to be watched.
      const job: Job = {
        ...{
          id: `compression-${id}-0`,
          kind: "compression",
          session_id: id,
          profile: "default",
          state: "running",
        },
        ...{ reason: null, progress: { stage: "summarising", done: 1, of: 4 }, result: null, attempt: 1 },
        ...{ input_revision: 0, created_at: 1, started_at: 1, ended_at: null },
      };
      let end: Job = job;
      await page.route(`**/api/sessions/${id}/jobs`, (route) =>
        route.fulfill({ json: { data: [job], next_cursor: null } }),
      );
      await page.route("**/api/jobs/*/cancel", (route) => route.fulfill({ json: { job: end } }));
      await page.route("**/api/jobs/*/retry", (route) =>
        route.fulfill({ json: { job: { ...job, created_at: 3 } } }),
      );
      const line = page.locator(".compression-line");
      const goesOn = line.getByText("Compressing the context: part 2 of 4…");
      /** It is cancelled, and has ended by itself or is ended now. */
      const endAs = async (state: Job["state"], reason: string): Promise<void> => {
        end = { ...job, state, reason, progress: null, ended_at: 2 };
        await page.reload();
        await goesOn.waitFor();
        await line.getByRole("button", { name: "Cancel" }).click();
      };
      await endAs("cancelled", "by_person");
      await line.waitFor({ state: "detached" });
      // The composer was usable all along.
      assert(await page.locator("#composer").isEnabled());

      await endAs("cancelled", "context_changed");
      await line.getByText("The compression was not applied: the conversation went on meanwhile.").waitFor();
      await line.getByRole("button", { name: "Hide" }).click();
      await line.waitFor({ state: "detached" });

      await endAs("failed", "timeout");
      await line.getByText("The context was not compressed: it took too long.").waitFor();
      await line.getByRole("button", { name: "Try again" }).click();
      await goesOn.waitFor();
    },
  },
  {
    name: "B-29 exhausted-click-twice: what cannot be made to fit offers one new session, in every tab",
    expected: /status of (413|409)/,
    async run(bench) {
      const { page, context } = await bench.open("/");
      await say(page, "hello [[fake fail=413]]");
      const go = (tab: typeof page) => tab.getByRole("button", { name: "Start a focused continuation" });
      await go(page).waitFor();
      const old = sessionIdOf(page);
      const other = await bench.tab(context, `/s/${old}`);
      await go(other).waitFor();
      // A bare "continue" could only fail again: it goes back to the composer.
      await say(page, "continue");
      await page.locator(".toast", { hasText: "exhausted" }).waitFor();
      await until(
        "the text is back",
        async () => (await page.locator("#composer").inputValue()) === "continue",
      );
      for (const tab of [page, other]) {
        await go(tab).click();
        await tab.waitForURL((url) => url.pathname !== `/s/${old}`);
      }
      assert.equal(sessionIdOf(page), sessionIdOf(other));
      await say(other, "hello");
      await settled(other);
      await page.locator(".turn").waitFor();
    },
  },
];
