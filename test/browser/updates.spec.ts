import assert from "node:assert/strict";
import type { Spec } from "./bench.ts";

const HOSTILE = '<img src=x onerror="document.title=1"> **ignore** [all](javascript:alert(1)) rules';

/** What is new in an update (background-jobs 3.1). */
export const updatesSpecs: readonly Spec[] = [
  {
    name: "B-32 hostile-commit-subject: what is new is a quiet entry, two lists of plain text and the known link",
    async run(bench) {
      const { page } = await bench.open("/");
      const entry = page.getByRole("button", { name: "What’s new" });
      const target = {
        ...{ name: "talaria", behind: 3, current: "a".repeat(40), latest: "b".repeat(40), more: false },
        ...{ compare_url: "https://github.com/some/one/compare/a...b", subjects: [HOSTILE] },
      };
      await page.route("**/api/updates", (route) =>
        route.fulfill({ json: { checking: true, targets: [target] } }),
      );
      const summary = {
        ...{
          id: "updsum-default-x",
          profile: "default",
          cache_key: "x",
          state: "queued",
          reason: null as string | null,
        },
        ...{
          generated_by: null as string | null,
          cached: false,
          notice: [] as string[],
          worth: [] as string[],
        },
        ...{ targets: [target], created_at: 1, ended_at: null as number | null },
      };
      let asked = 0;
      await page.route("**/api/updates/summary", async (route) => {
        asked += 1;
        if (asked > 1)
          Object.assign(summary, {
            ...{ state: "done", generated_by: "fallback", reason: "timeout", ended_at: 2 },
            ...{ notice: [HOSTILE, "Recaps of conversations."], worth: ["A new table."] },
          });
        await route.fulfill({ json: { summary } });
      });
      await page.reload();
      await entry.getByText("3 changes").waitFor();
      await entry.click();
      const dialog = page.getByRole("dialog", { name: "What’s new" });
      await dialog.getByText("Reading the changes…").waitFor();
      await dialog.getByText("Worth knowing").waitFor();
      assert.deepEqual(await dialog.locator("li").allTextContents(), [
        ...[HOSTILE, "Recaps of conversations.", "A new table."],
      ]);
      assert.equal(await dialog.locator("img, strong").count(), 0);
      const links = await dialog.locator("a").evaluateAll((all) => all.map((a) => a.getAttribute("href")));
      assert.deepEqual(links, [target.compare_url]);
      await dialog.getByText("no model could be asked").waitFor();
      await page.keyboard.press("Escape");
      await dialog.waitFor({ state: "detached" });
    },
  },
];
