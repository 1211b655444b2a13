import assert from "node:assert/strict";
import type { Run } from "../../common/contracts/run.ts";
import { type Spec, say, sessionIdOf, until } from "./bench.ts";

/** What whoever operates the server looks at. */
export const operationsSpecs: readonly Spec[] = [
  {
    name: "operations: from the foot of the list, with the keyboard, in the dark, and back",
    async run(bench) {
      const { page } = await bench.open("/", { colorScheme: "dark" });
      await page.getByRole("link", { name: "Operations" }).focus();
      await page.keyboard.press("Enter");
      await page.getByRole("heading", { name: "Operations" }).waitFor();
      assert.equal(new URL(page.url()).pathname, "/ops");
      await page.getByRole("region", { name: "Workers" }).getByText("of 400").waitFor();
      const ground = await page.evaluate("getComputedStyle(document.body).backgroundColor");
      assert.equal(ground, "rgb(23, 24, 22)");
      await page.keyboard.press("Tab");
      await page.keyboard.press("Enter");
      await page.locator("#composer").waitFor();
    },
  },
  {
    name: "operations: the dashboard of the queues works under its policy and asks no other host",
    async run(bench) {
      const { page } = await bench.open("/");
      await say(page, "Tell me a long story, slowly.");
      await page.waitForURL(/\/s\//);
      const path = `/api/runs?session_id=${sessionIdOf(page)}`;
      const running = async () => (await bench.api<{ data: Run[] }>("GET", path)).data[0];
      await until("the run begins", async () => (await running())?.status === "running");
      const id = (await running())?.id ?? "";
      const hosts = new Set<string>();
      page.on("request", (request) => hosts.add(new URL(request.url()).host));
      await page.goto(`${bench.url}/ops/queues`);
      await page.getByText("titles").first().waitFor();
      await page.goto(`${bench.url}/ops/queues/queue/runs`);
      await page.getByText("runs").first().waitFor();
      await page.goto(`${bench.url}/ops/queues/queue/runs/run-${id}-1`);
      await page.getByText(`"${id}"`).first().waitFor();
      await page.waitForLoadState("networkidle");
      assert.deepEqual([...hosts], [new URL(bench.url).host]);
    },
  },
];
