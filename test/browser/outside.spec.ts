import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { join } from "node:path";
import type { Page } from "playwright-core";
import {
  type Bench,
  flat,
  type Spec,
  say,
  sessionIdOf,
  settled,
  stateLine,
  storedMessages,
  until,
} from "./bench.ts";

const TOOL = join(import.meta.dirname, "..", "tools", "make-state-db.py");

/** Another program at work on the same state.db; answers the ids of the rows it wrote. */
export const outside = (bench: Bench, ...args: readonly string[]): readonly number[] => {
  assert(bench.home !== null, "the server's home is not known");
  const output = execFileSync("python3", [TOOL, join(bench.home, "state.db"), ...args], { encoding: "utf8" });
  return output
    .trim()
    .split("\n")
    .flatMap((line) => (JSON.parse(line) as { ids?: number[] }).ids ?? []);
};

/** What people have said, as it stands on the screen, in order. */
const bubbles = async (page: Page): Promise<readonly string[]> =>
  (await page.locator(".user-bubble").allInnerTexts()).map((text) => flat(text.replace(/^You:/, "")));

const begin = async (
  bench: Bench,
  text: string,
  height = 800,
): Promise<{ page: Page; sessionId: string }> => {
  const { page } = await bench.open("/", { viewport: { width: 1280, height } });
  await say(page, text);
  await settled(page);
  return { page, sessionId: sessionIdOf(page) };
};

/** What another program writes into state.db appears on the open page (session-reconciliation d.2). */
export const outsideSpecs: readonly Spec[] = [
  {
    name: "e.77 a row of another program appears in the open page by itself, once, and the conversation goes on",
    async run(bench) {
      const { page, sessionId } = await begin(bench, "a short answer please");
      outside(bench, "--append", sessionId, "2", "--now");
      await until(
        "the outside rows are stored",
        async () => (await storedMessages(bench, sessionId)).length === 4,
      );
      const [, , prompt, answer] = await storedMessages(bench, sessionId);
      assert(prompt !== undefined && answer !== undefined);
      await page.locator(".user-bubble", { hasText: prompt.content }).waitFor();
      await page.locator(".origin", { hasText: "external" }).first().waitFor();
      await say(page, "and what did the other program say?");
      await stateLine(page, /Writing|Thinking/).waitFor();
      await settled(page);
      const said = ["a short answer please", flat(prompt.content), "and what did the other program say?"];
      assert.deepEqual(await bubbles(page), said);
      await page.reload();
      await page.locator(".user-bubble", { hasText: "and what did" }).waitFor();
      assert.deepEqual(await bubbles(page), said);
    },
  },
  {
    name: "B5 a reader who scrolled up is not moved by a row of another program",
    async run(bench) {
      const { page, sessionId } = await begin(bench, "a long answer please", 420);
      const box = page.locator(".transcript");
      await box.hover();
      await page.mouse.wheel(0, -100_000);
      await until(
        "the reader is at the top",
        async () => (await box.evaluate((element) => element.scrollTop)) < 10,
      );
      outside(bench, "--append", sessionId, "2", "--now");
      const pill = page.getByRole("button", { name: /2 new messages/ });
      await pill.waitFor();
      assert((await box.evaluate((element) => element.scrollTop)) < 10, "the view moved");
      await pill.click();
      await until("the end is in view", () =>
        box.evaluate((element) => element.scrollHeight - element.scrollTop - element.clientHeight < 60),
      );
      await pill.waitFor({ state: "detached" });
    },
  },
  {
    name: "B2 a row that comes while a run streams is shown when the run has ended, in the order of the store",
    async run(bench) {
      const { page, sessionId } = await begin(bench, "a short answer please");
      await say(page, "a long answer please");
      await stateLine(page, /Writing|Thinking/).waitFor();
      outside(bench, "--append", sessionId, "2", "--now");
      await until(
        "the outside rows are stored",
        async () =>
          (await storedMessages(bench, sessionId)).filter((m) => m.origin === "external").length === 2,
      );
      assert.equal(await page.locator(".user-bubble").count(), 2, "nothing came between");
      await settled(page);
      await until(
        "the outside prompt is shown",
        async () => (await page.locator(".user-bubble").count()) === 3,
      );
      const stored = (await storedMessages(bench, sessionId)).filter((m) => m.role === "user");
      assert.deepEqual(
        await bubbles(page),
        stored.map((message) => flat(message.content)),
      );
    },
  },
  {
    name: "e.60 a rewind by another program takes its rows off the screen",
    async run(bench) {
      const { page, sessionId } = await begin(bench, "a short answer please");
      outside(bench, "--append", sessionId, "2", "--now");
      await until(
        "the outside prompt is shown",
        async () => (await page.locator(".user-bubble").count()) === 2,
      );
      outside(bench, "--rewind", sessionId, "1");
      await until("it is gone", async () => (await page.locator(".user-bubble").count()) === 1);
      assert.equal((await storedMessages(bench, sessionId)).length, 2);
    },
  },
  {
    name: "undo, edit and a search: what was taken back stays away, what stays is found",
    async run(bench) {
      const { page, sessionId } = await begin(bench, "remember the word xylophone");
      await say(page, "remember the word zeppelin");
      await stateLine(page, /Writing|Thinking/).waitFor();
      await settled(page);
      await page.getByRole("button", { name: "Undo the last turn" }).click();
      await until("the turn is gone", async () => (await page.locator(".user-bubble").count()) === 1);
      assert.match(await page.locator("#composer").inputValue(), /zeppelin/);
      await page.reload();
      await page.locator(".user-bubble", { hasText: "xylophone" }).waitFor();
      assert.equal(await page.locator(".user-bubble").count(), 1);
      const hits = async (word: string): Promise<number> =>
        (
          await bench.api<{ data: { session: { id: string }; message_id: string | null }[] }>(
            "GET",
            `/api/search?q=${word}`,
          )
        ).data.filter((hit) => hit.session.id === sessionId && hit.message_id !== null).length;
      await until("what stays is found", async () => (await hits("xylophone")) > 0);
      assert.equal(await hits("zeppelin"), 0);
    },
  },
  {
    name: "coming back to the page reads the profiles, leaving it reads nothing",
    async run(bench) {
      const { page } = await bench.open("/");
      let reads = 0;
      page.on("request", (request) => {
        if (/\/api\/profiles\?/.test(request.url())) reads += 1;
      });
      const turn = (state: "hidden" | "visible"): Promise<void> =>
        page.evaluate(`Object.defineProperty(document, "visibilityState", { value: "${state}", configurable: true });
          document.dispatchEvent(new Event("visibilitychange"));`);
      await page.waitForTimeout(3_000); // a read that is asked for now is made at once
      reads = 0;
      await turn("hidden");
      await page.waitForTimeout(1_000);
      assert.equal(reads, 0);
      await turn("visible");
      await until("the profiles are read", async () => reads === 1);
    },
  },
];
