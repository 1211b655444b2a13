import assert from "node:assert/strict";
import type { Spec } from "./bench.ts";
import { say, settled } from "./bench.ts";

const leaving = (command: string): string => {
  const args = Buffer.from(JSON.stringify({ command, background: true })).toString("base64url");
  return `Leave it running [[fake tool=run_command args=${args} tokens=3]]`;
};

/** What goes on in the background, and how its end is shown (background-jobs B-38). */
export const processSpecs: readonly Spec[] = [
  {
    name: "B-38 wakeup-not-user: a process is listed while it runs, can be ended, and its end is no message of a person's",
    async run(bench) {
      const { page } = await bench.open("/");
      const strip = page.getByRole("list", { name: "Running in the background" });
      await say(page, leaving("sleep 300"));
      await settled(page);
      await strip.getByText("sleep 300").waitFor();
      await strip.getByRole("button", { name: "End the process sleep 300" }).click();
      await strip.waitFor({ state: "detached" });
      await page.locator(".notice", { hasText: "It was ended by a person" }).waitFor();

      await say(page, leaving("sleep 1; echo all is built # [[fake tokens=5]]"));
      await strip.getByText("all is built").waitFor();
      const notice = page.locator("[aria-label='Background notice']", { hasText: "exit code 0" });
      await notice.waitFor();
      await notice.getByText("Output").click();
      await notice.getByText("all is built", { exact: true }).waitFor();
      await settled(page);
      const typed = async () =>
        (await page.locator(".user-bubble").allInnerTexts()).map((text) => text.includes("System notice"));
      assert.deepEqual(await typed(), [false, false]);
      await page.reload();
      await notice.waitFor();
      assert.deepEqual(await typed(), [false, false]);
    },
  },
];
