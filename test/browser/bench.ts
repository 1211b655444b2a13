import assert from "node:assert/strict";
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import type { Browser, BrowserContext, BrowserContextOptions, Page } from "playwright-core";
import type { Message } from "../../common/contracts/message.ts";
import type { Session } from "../../common/contracts/session.ts";

export interface Spec {
  readonly name: string;
  /** Errors on the console that the spec brings about. */
  readonly expected?: RegExp;
  readonly run: (bench: Bench) => Promise<void>;
}

/** What a spec works with; everything it opens is closed after it, and errors on any page's console fail it. */
export interface Bench {
  readonly url: string;
  /** The server's home; null for one that runs elsewhere. */
  readonly home: string | null;
  /** A fresh browser profile with one page at `path`. */
  open(path?: string, options?: BrowserContextOptions): Promise<{ page: Page; context: BrowserContext }>;
  /** Another tab beside `page`. */
  tab(context: BrowserContext, path: string): Promise<Page>;
  api<T>(method: string, path: string, body?: unknown): Promise<T>;
}

const DEADLINE_MS = 90_000;
/** What the browser itself says about requests that a spec cut, or about sessions it deleted, on purpose. */
const EXPECTED = /net::ERR_INTERNET_DISCONNECTED|net::ERR_FAILED|net::ERR_ABORTED|status of 404/;

/** Runs one spec; null when it passed, otherwise what went wrong. */
export const withBench = async (
  browser: Browser,
  { url, home }: Pick<Bench, "url" | "home">,
  spec: Spec,
): Promise<string | null> => {
  const contexts: BrowserContext[] = [];
  const complaints: string[] = [];
  const listen = (page: Page): void => {
    page.setDefaultTimeout(20_000);
    page.on("console", (message) => {
      const text = message.text();
      if (message.type() === "error" && !EXPECTED.test(text) && !spec.expected?.test(text))
        complaints.push(text);
    });
    page.on("pageerror", (error) => complaints.push(error.message));
  };
  const bench: Bench = {
    url,
    home,
    async open(path = "/", options = {}) {
      const context = await browser.newContext({ viewport: { width: 1280, height: 800 }, ...options });
      contexts.push(context);
      return { context, page: await bench.tab(context, path) };
    },
    async tab(context, path) {
      const page = await context.newPage();
      listen(page);
      await page.goto(url + path);
      await page.locator("#composer").waitFor();
      return page;
    },
    async api(method, path, body) {
      const response = await fetch(url + path, {
        method,
        ...(body === undefined
          ? {}
          : { body: JSON.stringify(body), headers: { "Content-Type": "application/json" } }),
      });
      const text = await response.text();
      assert(response.ok, `${method} ${path}: ${response.status} ${text}`);
      return (text === "" ? undefined : JSON.parse(text)) as never;
    },
  };
  let timer: ReturnType<typeof setTimeout> | undefined;
  try {
    const late = new Promise<never>((_, reject) => {
      timer = setTimeout(() => reject(new Error(`took longer than ${DEADLINE_MS / 1000} s`)), DEADLINE_MS);
    });
    await Promise.race([spec.run(bench), late]);
    assert.deepEqual(complaints, [], "errors on the console");
    return null;
  } catch (error) {
    await takePictures(spec, contexts);
    const text = error instanceof Error ? (error.stack ?? error.message) : String(error);
    return [text, ...complaints].join("\n");
  } finally {
    clearTimeout(timer);
    for (const context of contexts) await context.close();
  }
};

/** Screenshots of a failed spec, in `test-results/`. */
const takePictures = async (spec: Spec, contexts: readonly BrowserContext[]): Promise<void> => {
  const folder = join(import.meta.dirname, "..", "..", "test-results");
  mkdirSync(folder, { recursive: true });
  for (const [i, page] of contexts.flatMap((context) => context.pages()).entries()) {
    const path = join(folder, `${spec.name.replaceAll(/[^a-z0-9]+/gi, "-").slice(0, 60)}-${i}.png`);
    await page.screenshot({ path, timeout: 5_000 }).catch(() => undefined);
  }
};

/** Types a message and sends it as a person does. */
export const say = async (page: Page, text: string): Promise<void> => {
  await page.locator("#composer").fill(text);
  await page.locator("#composer").press("Enter");
};

export const stateLine = (page: Page, text: string | RegExp) =>
  page.locator(".state-line").filter({ hasText: text });

export const settled = (page: Page): Promise<void> =>
  stateLine(page, "Answer complete").waitFor({ timeout: 60_000 });

/** Asks again and again until the answer is yes; `what` is told when it never is. */
export const until = async (what: string, ask: () => Promise<boolean>): Promise<void> => {
  const end = performance.now() + 30_000;
  while (!(await ask())) {
    if (performance.now() > end) throw new Error(`did not happen: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 25));
  }
};

/** Waits until the answers on the screen are longer than `length` characters, and returns them. */
export const shown = async (page: Page, length: number): Promise<string> => {
  let text = "";
  await until(`more than ${length} characters of answer`, async () => {
    text = flat(await answers(page));
    return text.length > length;
  });
  return text;
};

/** The texts of all answers on the screen. */
export const answers = async (page: Page): Promise<string> =>
  (await page.locator(".turn .answer").allInnerTexts()).join("\n");

export const flat = (text: string): string => text.replaceAll(/\s+/g, " ").trim();

export const sessionIdOf = (page: Page): string => {
  const id = /\/s\/([\w-]+)$/.exec(page.url())?.[1];
  assert(id !== undefined, `no session in the address ${page.url()}`);
  return id;
};

export const sessionOf = async (bench: Bench, id: string): Promise<Session> =>
  (await bench.api<{ session: Session }>("GET", `/api/sessions/${id}`)).session;

export const storedMessages = async (bench: Bench, sessionId: string): Promise<readonly Message[]> =>
  (await bench.api<{ data: Message[] }>("GET", `/api/sessions/${sessionId}/messages?limit=200`)).data;

/** The screen shows what the server stored: each text whole and once. For answers without markup. */
export const assertWholeAndOnce = async (bench: Bench, page: Page): Promise<void> => {
  const stored = (await storedMessages(bench, sessionIdOf(page))).filter((m) => m.role === "assistant");
  assert(stored.length > 0, "nothing was stored");
  assert.equal(flat(await answers(page)), flat(stored.map((m) => m.content).join("\n")));
};
