import assert from "node:assert/strict";
import type { Locator, Page } from "playwright-core";
import type { ProfileSummary, ProfileView } from "../../common/contracts/profile.ts";
import type { Run } from "../../common/contracts/run.ts";
import type { Session } from "../../common/contracts/session.ts";
import { startFakeModel } from "../helpers/fake-model.ts";
import { type RecordedModel, startRecordedModel } from "../helpers/recorded-model.ts";
import {
  answers,
  type Bench,
  flat,
  type Spec,
  say,
  sessionIdOf,
  sessionOf,
  settled,
  shown,
  until,
} from "./bench.ts";

const PHONE = { viewport: { width: 390, height: 780 }, hasTouch: true, isMobile: true };

const LONG = "a-rather-long-name-of-a-profile-".repeat(2);
/** What of the dialog is wider than the place it has, and neither scrolls nor is cut on purpose. */
const WIDER = `[...document.querySelectorAll("dialog.profiles, dialog.profiles *")]
  .filter((e) => e.clientWidth > 0 && e.scrollWidth > e.clientWidth && getComputedStyle(e).overflowX === "visible")
  .map((e) => e.outerHTML.slice(0, 120))`;

/** Runs `work` with a model server that keeps what it is asked. */
const withModel = async (work: (front: RecordedModel) => Promise<void>): Promise<void> => {
  const model = await startFakeModel();
  const front = await startRecordedModel(model);
  try {
    await work(front);
  } finally {
    await front.close();
    await model.close();
  }
};

/** Removes the profiles that a spec made, so that the next one finds the page with one profile. */
const without = async (bench: Bench, names: readonly string[], work: () => Promise<void>): Promise<void> => {
  try {
    await work();
  } finally {
    const { data } = await bench.api<{ data: ProfileSummary[] }>("GET", "/api/profiles?all=true");
    const here = data.filter(({ name }) => names.includes(name)).map(({ name }) => name);
    const runs = (await bench.api<{ data: Run[] }>("GET", "/api/runs?limit=200")).data;
    for (const run of runs.filter((one) => here.includes(one.profile) && one.ended_at === null))
      await bench.api("POST", `/api/runs/${run.id}/cancel`, {});
    for (const name of here)
      await until(`${name} is deleted`, () =>
        bench.api("DELETE", `/api/profiles/${name}`, {}).then(
          () => true,
          () => false,
        ),
      );
  }
};

const read = async (bench: Bench, name: string): Promise<ProfileView> =>
  (await bench.api<{ profile: ProfileView }>("GET", `/api/profiles/${name}`)).profile;
const sessionIn = async (bench: Bench, profile: string): Promise<Session> =>
  (await bench.api<{ session: Session }>("POST", "/api/sessions", { profile })).session;

const dialog = (page: Page): Locator => page.getByRole("dialog", { name: "Profiles", exact: true });
const openDialog = async (page: Page): Promise<Locator> => {
  await page.getByRole("button", { name: "Profiles", exact: true }).click();
  await dialog(page).waitFor();
  return dialog(page);
};
const pick = async (page: Page, from: string, label: string): Promise<void> => {
  await page.getByRole("button", { name: `Profile of this session: ${from}` }).click();
  await page.getByRole("menuitemradio", { name: label, exact: true }).click();
  await page.getByRole("button", { name: `Profile of this session: ${label}` }).waitFor();
};
const focused = (page: Page): Promise<string> =>
  page.evaluate("document.activeElement.getAttribute('aria-label') ?? document.activeElement.textContent");

/** Everything that the page holds: what is drawn, what stands in fields, what the browser keeps. */
const everything = (page: Page): Promise<string> =>
  page.evaluate(`JSON.stringify([
    document.documentElement.outerHTML,
    [...document.querySelectorAll("input, textarea")].map((field) => field.value),
    { ...localStorage }, { ...sessionStorage },
  ])`);

/** Profiles in the page: everything that the API offers, by a person. */
export const profileSpecs: readonly Spec[] = [
  {
    name: "profiles: made in the page, given a model and a key, chosen for a session, and the model server sees that key",
    run: (bench) =>
      withModel((front) =>
        without(bench, ["lab"], async () => {
          const secret = "sk-page-canary-4711";
          const { page } = await bench.open();
          const box = await openDialog(page);
          await box.getByRole("button", { name: "New profile" }).click();
          await box.getByLabel("Name", { exact: true }).fill("The Lab");
          await box.getByText("Only a–z, 0–9, _ and -.").waitFor();
          assert(await box.getByRole("button", { name: "Create" }).isDisabled());
          await box.getByLabel("Name", { exact: true }).fill("lab");
          await box.getByLabel("Display name").fill("The lab");
          await box.getByRole("button", { name: "Create" }).click();
          await box.getByRole("heading", { name: "The lab" }).waitFor();

          await box.getByLabel("Address (base_url)").fill(front.url);
          assert.equal(await box.getByLabel("Provider").inputValue(), "custom");
          await box.getByRole("button", { name: "Save", exact: true }).click();
          await box.getByText("Saved. It counts from the next run on.").waitFor();
          await box.getByRole("button", { name: "1 model" }).click();
          await box.getByRole("button", { name: "fake", exact: true }).click();
          await box.getByLabel("Instructions (SOUL.md)").fill("You are in the lab.");
          await box.getByRole("button", { name: "Save", exact: true }).click();
          await until(
            "the settings are saved",
            async () => (await read(bench, "lab")).model?.model === "fake",
          );
          assert.equal((await read(bench, "lab")).instructions, "You are in the lab.");

          await box.getByRole("button", { name: "Set OPENAI_API_KEY" }).click();
          const field = box.getByLabel("New value of OPENAI_API_KEY");
          assert.equal(await field.getAttribute("type"), "password");
          assert.equal(await field.getAttribute("autocomplete"), "off");
          await field.fill(secret);
          await field.press("Enter");
          await box.getByText("OPENAI_API_KEY is set.").waitFor();
          await until("the focus is back", async () => (await focused(page)) === "Replace OPENAI_API_KEY");
          await box.getByRole("button", { name: "Remove OPENAI_API_KEY" }).waitFor();
          assert.equal((await everything(page)).includes(secret), false, "the key stayed in the page");
          await page.keyboard.press("Escape");
          await dialog(page).waitFor({ state: "detached" });

          await pick(page, "default", "The lab");
          await say(page, "hello [[fake tokens=7]]");
          await settled(page);
          assert(flat(await answers(page)).length > 10);
          // What streams is the conversation; its title is asked for with the same key.
          const chats = front.asked.filter(({ body }) => body.includes('"stream":true'));
          assert.deepEqual(
            chats.map(({ authorization }) => authorization),
            [`Bearer ${secret}`],
          );
          assert(chats[0]?.body.includes("You are in the lab."));
          assert.equal((await sessionOf(bench, sessionIdOf(page))).profile, "lab");
          await page.locator(".chat-facts .profile", { hasText: "The lab" }).waitFor();
          await page
            .locator('.session-link[aria-current="page"] .profile-badge', { hasText: "The lab" })
            .waitFor();
          assert.equal(await page.locator(".profile-picker").count(), 0, "it can move no more");
          assert.equal((await everything(page)).includes(secret), false);
        }),
      ),
  },
  {
    name: "profiles: a copy brings settings and keys; keys are added, refused and removed, each where it stands",
    expected: /status of (409|422|502)/,
    run: (bench) =>
      without(bench, ["first", "second"], async () => {
        await bench.api("POST", "/api/profiles", { name: "first", display_name: "The first" });
        const model = { provider: "anthropic", base_url: "http://127.0.0.1:9/v1" }; // nobody answers there
        await bench.api("PATCH", "/api/profiles/first", { model });
        await bench.api("POST", "/api/profiles/first/keys", { name: "ANTHROPIC_API_KEY", value: "none" });
        const { page } = await bench.open();
        const box = await openDialog(page);
        await box.getByRole("button", { name: "New profile" }).click();
        await box.getByLabel("Name", { exact: true }).fill("second");
        await box.getByLabel("Begin with").selectOption({ label: "A copy of The first" });
        await bench.api("POST", "/api/profiles", { name: "second" }); // somebody else was faster
        await box.getByLabel("Name", { exact: true }).press("Enter");
        await box.getByText(/There is a profile/).waitFor();
        await bench.api("DELETE", "/api/profiles/second", {});
        await box.locator(".profile-item", { hasText: "second" }).waitFor({ state: "detached" });
        await box.getByLabel("Name", { exact: true }).fill("");
        await box.getByLabel("Name", { exact: true }).fill("second");
        await box.getByRole("button", { name: "Create" }).click();
        await box.getByRole("heading", { name: "second" }).waitFor();
        assert.equal(await box.getByLabel("Provider").inputValue(), "anthropic");
        await box.getByText("No list: The model provider cannot be reached.").waitFor();
        await box.getByLabel("Model", { exact: true }).fill("by-its-name");
        await box.getByLabel("Model", { exact: true }).press("Enter");
        await box.getByText("Saved.").waitFor();
        assert.equal((await read(bench, "second")).model?.model, "by-its-name");

        await box.getByRole("button", { name: "Add a variable" }).click();
        await box.getByLabel("Name of the variable").fill("PATH");
        await box.getByLabel("Value").fill("/evil");
        await box.getByRole("button", { name: "Save the key" }).click();
        await box.getByText("PATH belongs to the server").waitFor();
        await box.getByLabel("Name of the variable").fill("GITHUB_TOKEN");
        await box.getByLabel("Value").fill("of-the-page");
        await box.getByRole("button", { name: "Save the key" }).click();
        await box.getByText("GITHUB_TOKEN is set.").waitFor();
        for (const name of ["GITHUB_TOKEN", "ANTHROPIC_API_KEY"]) {
          await box.getByRole("button", { name: `Remove ${name}` }).click();
          const question = page.getByRole("dialog", { name: `Remove ${name}?` });
          await question.getByRole("button", { name: "Remove", exact: true }).click();
          await box.getByText(`${name} was removed.`).waitFor();
        }
        assert.deepEqual((await read(bench, "second")).keys, [{ name: "ANTHROPIC_API_KEY", set: false }]);
        await until("the focus is on the line that stays", async () => {
          return (await focused(page)) === "Set ANTHROPIC_API_KEY";
        });
        await box.locator(".profile-item", { hasText: "second" }).filter({ hasText: "no key" }).waitFor();
        await box.locator(".profile-item", { hasText: "The first" }).filter({ hasText: "key set" }).waitFor();
      }),
  },
  {
    name: "profiles: the choice is this browser's, over a reload; an empty session can still move",
    run: (bench) =>
      without(bench, ["mine"], async () => {
        await bench.api("POST", "/api/profiles", { name: "mine" });
        const here = await bench.open();
        const there = await bench.open();
        await pick(here.page, "default", "mine");
        await here.page.reload();
        for (const [page, label] of [
          [here.page, "mine"],
          [there.page, "default"],
        ] as const)
          await page.getByRole("button", { name: `Profile of this session: ${label}` }).waitFor();
        const { id } = await sessionIn(bench, "mine");
        const page = await bench.tab(there.context, `/s/${id}`);
        await pick(page, "mine", "default");
        await until("it has moved", async () => (await sessionOf(bench, id)).profile === "default");
        await here.page.getByRole("button", { name: "Profile of this session: mine" }).waitFor();

        const other = await sessionIn(bench, "mine");
        await page.getByRole("button", { name: "Filter the sessions" }).click();
        await page.getByRole("menuitemradio", { name: "In mine" }).click();
        await page.locator(`.session-link[href="/s/${other.id}"]`).waitFor();
        await page.locator(`.session-link[href="/s/${id}"]`).waitFor({ state: "detached" });
        await page.getByText("Sessions in mine").waitFor();
      }),
  },
  {
    name: "profiles by keyboard: the focus stays in the dialog, what is not saved is asked about",
    run: (bench) =>
      without(bench, ["hands"], async () => {
        await bench.api("POST", "/api/profiles", { name: "hands" });
        const { page } = await bench.open();
        await page.getByRole("button", { name: "Profiles", exact: true }).focus();
        await page.keyboard.press("Enter");
        const box = dialog(page);
        await box.waitFor();
        await box.getByLabel("Instructions (SOUL.md)").waitFor();
        const within =
          "(() => { const at = document.activeElement; return at === document.body || at.closest('dialog.profiles') !== null; })()";
        for (let i = 0; i < 40; i++) {
          await page.keyboard.press("Tab");
          assert(await page.evaluate(within), `Tab ${i + 1} left the dialog`);
        }
        await box.locator(".profile-item", { hasText: "hands" }).focus();
        await page.keyboard.press("Enter");
        await box.getByRole("heading", { name: "hands" }).waitFor();
        await box.getByLabel("Display name").focus();
        await page.keyboard.type("By hand");
        await page.keyboard.press("Escape");
        const question = page.getByRole("dialog", { name: "Leave without saving?" });
        await question.waitFor();
        await page.keyboard.press("Escape");
        await question.waitFor({ state: "detached" });
        assert.equal(await box.getByLabel("Display name").inputValue(), "By hand");
        await box.locator(".profile-item", { hasText: "default" }).focus();
        await page.keyboard.press("Enter");
        await question.waitFor();
        await page.keyboard.press("Enter"); // "Keep editing" has the focus
        await question.waitFor({ state: "detached" });
        await box.getByLabel("Display name").focus();
        await page.keyboard.press("Enter");
        await box.getByText("Saved. It counts from the next run on.").waitFor();
        assert.equal((await read(bench, "hands")).display_name, "By hand");
        await page.keyboard.press("Escape");
        await box.waitFor({ state: "detached" });
        assert.equal(await focused(page), "Profiles");
      }),
  },
  {
    name: "profiles: one with an active run is not deleted and says so; then it goes with its sessions",
    expected: /status of 409/,
    run: (bench) =>
      withModel((front) =>
        without(bench, ["busy"], async () => {
          await bench.api("POST", "/api/profiles", { name: "busy" });
          await bench.api("PATCH", "/api/profiles/busy", {
            model: { provider: "custom", default: "fake", base_url: front.url },
          });
          const { id } = await sessionIn(bench, "busy");
          const { page } = await bench.open(`/s/${id}`);
          await say(page, "on and on [[fake tokens=4000 rate=20]]");
          await shown(page, 10);
          const box = await openDialog(page);
          await box.getByRole("heading", { name: "busy" }).waitFor();
          const remove = async (): Promise<void> => {
            await box.getByRole("button", { name: "Delete this profile…" }).click();
            const question = page.getByRole("dialog", { name: "Delete the profile “busy”?" });
            await question.getByText("Its one session goes with it.").waitFor();
            await question.getByRole("button", { name: "Delete", exact: true }).click();
          };
          await remove();
          await box.getByText("Not deleted: 1 run is active in its sessions.").waitFor();
          await box.getByRole("link", { name: "on and on" }).waitFor();
          assert.equal((await read(bench, "busy")).name, "busy");

          await bench.api("POST", `/api/runs/${(await sessionOf(bench, id)).active_run_id}/cancel`, {});
          await until("the run has ended", async () => (await sessionOf(bench, id)).active_run_id === null);
          await remove();
          await box.getByText("Choose a profile, or make a new one.").waitFor();
          await box.locator(".profile-item", { hasText: "busy" }).waitFor({ state: "detached" });
          await page.keyboard.press("Escape");
          await page.getByText("What shall we work on?").waitFor();
          await page.locator(`.session-link[href="/s/${id}"]`).waitFor({ state: "detached" });
          await openDialog(page);
          await box.getByText("The default profile is the home itself and cannot be deleted.").waitFor();
        }),
      ),
  },
  {
    name: "profiles: what others change appears in the open dialog, and what is being typed stays",
    run: (bench) =>
      without(bench, ["shared", "second"], async () => {
        await bench.api("POST", "/api/profiles", { name: "shared" });
        const { page } = await bench.open();
        const box = await openDialog(page);
        await box.locator(".profile-item", { hasText: "shared" }).click();
        await box.getByLabel("Name of the assistant").fill("Obryn");
        await bench.api("POST", "/api/profiles", { name: "second" });
        await bench.api("PATCH", "/api/profiles/shared", {
          instructions: "From elsewhere.",
          bot_name: "Other",
        });
        await box.locator(".profile-item", { hasText: "second" }).waitFor();
        await until("the instructions have come", async () => {
          return (await box.getByLabel("Instructions (SOUL.md)").inputValue()) === "From elsewhere.";
        });
        assert.equal(await box.getByLabel("Name of the assistant").inputValue(), "Obryn");
        await box.getByText("Changed elsewhere meanwhile: name of the assistant.").waitFor();
        await box.getByRole("checkbox", { name: "Offer it for new sessions" }).uncheck();
        await box.getByRole("button", { name: "Save", exact: true }).click();
        await box.getByText("Saved.").waitFor();
        const { bot_name, instructions, visible } = await read(bench, "shared");
        assert.deepEqual([bot_name, instructions, visible], ["Obryn", "From elsewhere.", false]);
        await box.locator(".profile-item", { hasText: "second" }).click();
        await box.getByRole("heading", { name: "second" }).waitFor();
        await box.locator(".profile-item", { hasText: "shared" }).waitFor({ state: "detached" });
        await box.getByRole("checkbox", { name: "Show hidden (1)" }).check();
        await box.locator(".profile-item", { hasText: "shared" }).waitFor();
      }),
  },
  {
    name: "profiles: at phone width list and profile take turns, nothing is wider than the screen",
    run: (bench) =>
      without(bench, [LONG], async () => {
        await bench.api("POST", "/api/profiles", { name: LONG });
        const { page } = await bench.open("/", PHONE);
        await page.getByRole("button", { name: "Open the session list" }).click();
        const box = await openDialog(page);
        const fits = async (): Promise<void> => {
          const over = await page.evaluate(WIDER);
          assert.deepEqual(over, [], "something is wider than its place");
          assert.equal(await page.evaluate("document.documentElement.scrollWidth - innerWidth"), 0);
        };
        await fits();
        await box.locator(".profile-item", { hasText: LONG }).click();
        await box.getByLabel("Instructions (SOUL.md)").waitFor();
        assert.equal(await box.locator(".profiles-side").isVisible(), false);
        await fits();
        await box.getByRole("button", { name: "Back to the profiles" }).click();
        await box.locator(".profile-item", { hasText: LONG }).waitFor();
        assert.equal(await box.locator(".profiles-detail").isVisible(), false);
        await box.getByRole("button", { name: "Close the profiles" }).click();
        await box.waitFor({ state: "detached" });
      }),
  },
];
