import assert from "node:assert/strict";
import { join } from "node:path";
import type { Locator, Page } from "playwright-core";
import { openTalariaDb, type TalariaDb } from "../../common/talaria-db/open.ts";
import { acceptMessage } from "../helpers/talaria-db.ts";
import { type Spec, until } from "./bench.ts";
import { startOwnServer } from "./server.ts";

const RUNS = 1_000;
const PAGE = 50;

/** The operator's page on a server of its own, where nobody does runs. */
export const manyRunsSpecs: readonly Spec[] = [
  {
    name: "operations page with 1,000 runs: signed in, counted, paged through, on a phone, in the dark",
    expected: /status of 401/,
    async run(bench) {
      const server = await startOwnServer({ TALARIA_QUEUES: "titles", TALARIA_PASSWORD: "open sesame" });
      try {
        const letter = await withDb(server.home, async (db) => {
          for (let n = 0; n < RUNS; n += 100)
            await Promise.all(
              Array.from({ length: 100 }, async () => acceptMessage(db, await newSession(db))),
            );
          return deadLetter(db);
        });
        const { page } = await bench.open("/");
        await page.goto(`${server.url}/ops`);
        await page.getByLabel("Password").fill("open sesame");
        await page.keyboard.press("Enter");
        await countsAndPages(page);
        await onAPhone(page);
        await requeues(page, letter);
        await drains(page);
      } finally {
        await server.stop();
      }
    },
  },
];

const countsAndPages = async (page: Page): Promise<void> => {
  const section = page.getByRole("region", { name: "Unfinished runs" });
  const place = section.getByRole("status");
  await page.locator(".operations-figures div", { hasText: "Runs queued" }).getByText("1,000").waitFor();
  await page
    .getByText(/No running worker serves "runs"/)
    .first()
    .waitFor();
  const seen = new Set<string>();
  for (let from = 1; from <= RUNS; from += PAGE) {
    await place.getByText(`${from}–${from + PAGE - 1} of 1,000`, { exact: true }).waitFor();
    const ids = await section.locator("tbody th").allInnerTexts();
    assert.equal(ids.length, PAGE);
    for (const id of ids) seen.add(id);
    assert((await page.locator("tr").count()) < 2 * PAGE, "more is drawn than one page of runs");
    if (from + PAGE <= RUNS) {
      await section.getByRole("button", { name: "Next" }).focus();
      await page.keyboard.press("Enter");
    }
  }
  assert.equal(seen.size, RUNS);
  assert(await section.getByRole("button", { name: "Next" }).isDisabled());
  // Each has its session and, because the dashboard is on, its job.
  const first = section.locator("tbody tr").first();
  assert.match((await first.getByRole("link", { name: /session/ }).getAttribute("href")) ?? "", /^\/s\//);
  assert.match(
    (await first.getByRole("link", { name: /job/ }).getAttribute("href")) ?? "",
    /^\/ops\/queues\/queue\/runs\/run-run_\w+-1$/,
  );
  await section.getByLabel("Show").selectOption("running");
  await section.getByText("None.").waitFor();
  await section.getByLabel("Show").selectOption("queued");
  await place.getByText("1–50 of 1,000", { exact: true }).waitFor();
};

const onAPhone = async (page: Page): Promise<void> => {
  await page.setViewportSize({ width: 360, height: 740 });
  await page.emulateMedia({ colorScheme: "dark" });
  assert.equal(await page.evaluate("getComputedStyle(document.body).backgroundColor"), "rgb(23, 24, 22)");
  // The tables scroll, the page does not.
  assert.equal(await page.evaluate("document.querySelector('.operations').scrollWidth"), 360);
};

const requeues = async (page: Page, letter: string): Promise<void> => {
  const section = page.getByRole("region", { name: "Dead letters" });
  await section.getByText("worker_crashed").waitFor();
  await section.getByRole("button", { name: `Requeue: ${letter}` }).focus();
  await page.keyboard.press("Enter");
  await page.getByText(/^Queued again as run_/).waitFor();
  await section.getByText("None.").waitFor();
  await hasFocus(section);
};

const drains = async (page: Page): Promise<void> => {
  const section = page.getByRole("region", { name: "Workers" });
  const name = (await section.locator("tbody th").first().textContent())?.trim();
  await section.getByRole("button", { name: `Drain ${name}` }).focus();
  await page.keyboard.press("Enter");
  const dialog = page.getByRole("dialog");
  await dialog.getByText("messages wait until there is one").waitFor();
  await dialog.getByRole("button", { name: "Drain" }).click();
  await page.getByText(`${name} takes no more jobs`).waitFor();
  // `npm start` keeps one running.
  await until("another worker is there", async () => {
    const names = await section.locator("tbody th").allInnerTexts();
    return names.length === 1 && names[0]?.trim() !== name && names[0]?.includes("draining") === false;
  });
};

const hasFocus = (element: Locator): Promise<void> =>
  until("the focus is there", () => element.evaluate((node) => node === node.ownerDocument.activeElement));

const withDb = async <T>(home: string, work: (db: TalariaDb) => Promise<T>): Promise<T> => {
  const db = await openTalariaDb(join(home, "talaria", "talaria.db"));
  try {
    return await work(db);
  } finally {
    await db.close();
  }
};

const newSession = async (db: TalariaDb): Promise<string> =>
  (await db.sessions.create({ profile: "default" })).session.id;

/** A run whose workers died, as they leave it behind. */
const deadLetter = async (db: TalariaDb): Promise<string> => {
  const { id } = await acceptMessage(db, await newSession(db));
  const claim = await db.write.claimRun(id, "worker-gone", null, 3);
  assert(claim.kind === "claimed");
  const { kind } = await db.write.commitRun(id, claim.record.generation, {
    status: "failed",
    messages: [],
    usage: null,
    error: { code: "worker_crashed", message: "Its worker ended." },
  });
  assert.equal(kind, "committed");
  return id;
};
