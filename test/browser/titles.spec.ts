import assert from "node:assert/strict";
import { type Spec, say, sessionIdOf, sessionOf, settled } from "./bench.ts";

/** What a session is called, and who says so (background-jobs 1). */
export const titlesSpecs: readonly Spec[] = [
  {
    name: "B-12 title-reaches-other-tabs: a session gets its title by itself, in every tab; a person's stays, another one can be made",
    async run(bench) {
      const { page, context } = await bench.open("/");
      await say(page, "Compare three ways to water tomatoes");
      await settled(page);
      const id = sessionIdOf(page);
      const other = await bench.tab(context, "/");
      await page.waitForFunction(async (path) => {
        const answer = (await (await fetch(path)).json()) as { session: { title_source: string } };
        return answer.session.title_source === "generated";
      }, `/api/sessions/${id}`);
      const made = (await sessionOf(bench, id)).title ?? "";
      assert.notEqual(made, "");
      for (const tab of [page, other]) await tab.locator(`.session-link:has-text("${made}")`).waitFor();
      await page.locator(".title-button", { hasText: made }).waitFor();

      await page.locator(".title-button").click();
      await page.getByLabel("Session title").fill("The user guide");
      await page.keyboard.press("Enter");
      await other.locator('.session-link:has-text("The user guide")').waitFor();
      await say(page, "And with less water?");
      await settled(page);
      assert.equal((await sessionOf(bench, id)).title, "The user guide");

      await page.getByRole("button", { name: "Session menu" }).click();
      await page.getByRole("menuitem", { name: "Make a new title" }).click();
      await page.locator(".title-button:not(:has-text('The user guide'))").waitFor();
      assert.equal((await sessionOf(bench, id)).title_source, "generated");
    },
  },
];
