import { mkdir, rm, writeFile } from "node:fs/promises";
import { createServer, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { Readable } from "node:stream";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "@jest/globals";
import Database from "better-sqlite3";
import type { Job } from "../../common/contracts/job.ts";
import type { Run } from "../../common/contracts/run.ts";
import type { Session } from "../../common/contracts/session.ts";
import { type Deployment, startDeployment } from "../helpers/deployment.ts";
import type { TestProcess } from "../helpers/process.ts";
import { followSession, type SessionFollower } from "../helpers/session-follower.ts";
import { stateDb } from "../helpers/truth.ts";
import { eventually, within } from "../helpers/wait.ts";

/** Titles in whole deployments, with a model that does what the test says (background-jobs 1). */
let d: Deployment;
let worker: TestProcess;
let titles: Server;
/** Requests for a title that were asked, and how they are answered. */
let asked: { readonly prompt: string; readonly key: string | undefined }[] = [];
let answer: (response: ServerResponse, n: number) => void;
const followers: SessionFollower[] = [];

const say =
  (...words: readonly string[]) =>
  (response: ServerResponse, n: number): void => {
    const content = words[Math.min(n, words.length) - 1] ?? "";
    response.writeHead(200, { "content-type": "application/json" });
    const choice = { index: 0, finish_reason: "stop", message: { role: "assistant", content } };
    response.end(
      JSON.stringify({
        id: "1",
        object: "chat.completion",
        created: 1,
        model: "t",
        choices: [choice],
        usage: {},
      }),
    );
  };
/** Answers when it is let go. */
const hold = (): {
  readonly begun: Promise<void>;
  /** Who asked waits no more. */
  readonly left: Promise<void>;
  go(title: string): void;
} => {
  const begun = Promise.withResolvers<void>();
  const held: ServerResponse[] = [];
  const left = Promise.withResolvers<void>();
  let later: string | null = null;
  answer = (response, n) => {
    begun.resolve();
    response.on("close", () => left.resolve());
    if (later === null) held.push(response);
    else say(later)(response, n);
  };
  return {
    begun: begun.promise,
    left: left.promise,
    go: (title) => {
      later = title;
      for (const response of held) say(title)(response, 1);
    },
  };
};
/** One model server for both: what streams is the conversation, what does not is a title. */
const configOf = (more = ""): string =>
  `model: {provider: custom, default: fake, base_url: "http://127.0.0.1:${(titles.address() as AddressInfo).port}/v1"}\n` +
  `auxiliary: {title_generation: {enabled: true${more}}}\n`;

beforeAll(async () => {
  titles = createServer(async (request, response) => {
    let body = "";
    for await (const chunk of request) body += String(chunk);
    if ((JSON.parse(body) as { stream?: boolean }).stream === true) {
      const base = d.model.url.replace(/\/v1\/?$/, "");
      const headers = { "content-type": "application/json" };
      const said = await fetch(`${base}${request.url}`, { method: "POST", headers, body });
      response.writeHead(said.status, { "content-type": said.headers.get("content-type") ?? "" });
      if (said.body === null) response.end();
      else Readable.fromWeb(said.body as Parameters<typeof Readable.fromWeb>[0]).pipe(response);
      return;
    }
    asked.push({ prompt: body, key: request.headers.authorization });
    answer(response, asked.length);
  });
  await new Promise<void>((resolve) => titles.listen(0, "127.0.0.1", resolve));
  d = await startDeployment({ TALARIA_QUEUES: "runs,titles" });
  await writeFile(join(d.home, "config.yaml"), configOf());
  worker = await d.startWorker();
});
afterAll(async () => {
  for (const follower of followers) follower.close();
  titles.closeAllConnections();
  titles.close();
  await d.close();
});
beforeEach(() => {
  asked = [];
  answer = say("Trip to Lisbon");
});

const turn = async (
  session: Pick<Session, "id">,
  input = "Please plan a trip to Lisbon [[fake tokens=3]]",
): Promise<Run> => {
  const run = await d.startRun(session.id, input);
  await within("the run ends", d.follow(run.id).ended);
  return run;
};
const begin = async (): Promise<{ readonly session: Session; readonly events: SessionFollower }> => {
  const session = await d.createSession();
  const events = await followSession(() => d.url(), session.id);
  followers.push(events);
  return { session, events };
};
const get = async (id: string): Promise<Session> =>
  (await d.request<{ session: Session }>("GET", `/api/sessions/${id}`)).body.session;
const jobsOf = async (id: string): Promise<readonly Job[]> =>
  (await d.request<{ data: Job[] }>("GET", `/api/sessions/${id}/jobs`)).body.data;
const isEnd = ({ event, data }: { event: string; data: Record<string, unknown> }): boolean =>
  event === "job" && (data.job as Job).ended_at !== null;
const ended = (events: SessionFollower): Promise<Job> =>
  within("the job ends", events.until(isEnd)).then(({ data }) => data.job as Job);
const rename = (id: string, title: string | null) => d.request("PATCH", `/api/sessions/${id}`, { title });
const regenerate = (id: string) =>
  d.request<{ session: Session; error: { code: string; details: { reason: string } } }>(
    "POST",
    `/api/sessions/${id}/title`,
    {},
  );
const titleEvents = (events: SessionFollower) => events.frames.filter(({ event }) => event === "title");

describe("after the first exchange", () => {
  test("B-11 title-not-before-done, B-12: the run ends without waiting; every follower of the session gets the title", async () => {
    const { session, events } = await begin();
    const held = hold();
    const run = await turn(session);
    await held.begun;
    expect((await d.getRun(run.id)).status).toBe("completed");
    expect(await get(session.id)).toMatchObject({ title_source: "provisional" });
    expect((await get(session.id)).title).toMatch(/^Please plan a trip to Lisbon/);
    held.go("Trip to Lisbon");
    expect(await ended(events)).toMatchObject({ state: "done", reason: null, attempt: 1, kind: "title" });
    expect(titleEvents(events).map(({ data }) => data.title)).toEqual(["Trip to Lisbon"]);
    expect(await get(session.id)).toMatchObject({ title: "Trip to Lisbon", title_source: "generated" });
    const states = events.frames.flatMap(({ event, data }) =>
      event === "job" ? [(data.job as Job).state] : [],
    );
    expect(states.at(-1)).toBe("done");
    expect(asked).toHaveLength(1);
    // In state.db, too, under this name.
    const db = new Database(stateDb(d), { readonly: true });
    await eventually(
      "other programs see it",
      () =>
        db.prepare("SELECT title FROM sessions WHERE id = ?").pluck().get(session.id) === "Trip to Lisbon",
    );
    db.close();
  });

  test("B-5 maintenance-is-not-activity: no time, place in the list or unread mark changes", async () => {
    const { session, events } = await begin();
    const held = hold();
    await turn(session);
    await held.begun;
    const newer = await d.createSession();
    const before = await get(session.id);
    held.go("Quiet Trip");
    await ended(events);
    const after = await get(session.id);
    expect(after).toEqual({
      ...before,
      ...{ title: "Quiet Trip", title_source: "generated", revision: before.revision + 1 },
    });
    const { data } = (await d.request<{ data: Session[] }>("GET", "/api/sessions?limit=2")).body;
    expect(data.map(({ id }) => id)).toEqual([newer.id, session.id]);
  });

  test("B-8 title-failure-invisible, B-16: a provider that fails leaves the turn alone; the user's words do", async () => {
    const { session, events } = await begin();
    answer = (response) => void response.writeHead(500).end("no");
    const run = await turn(session, "Bitte führe die Tests aus [[fake tokens=3]]");
    const job = await ended(events);
    expect(job).toMatchObject({ state: "done" });
    expect(job.reason).not.toBeNull();
    expect((await get(session.id)).title).toContain("führe");
    expect((await d.getRun(run.id)).status).toBe("completed");
    expect((await d.messages(session.id)).map(({ role }) => role)).toEqual(["user", "assistant"]);
  });

  test("B-14 no-title-call-per-turn: a session that has its title asks no more", async () => {
    const { session, events } = await begin();
    answer = say("Lisbon");
    await turn(session);
    await ended(events);
    const calls = asked.length;
    for (let n = 0; n < 3; n++) await turn(session, `more ${n} [[fake tokens=3]]`);
    expect(await jobsOf(session.id)).toHaveLength(1);
    expect(asked).toHaveLength(calls);
  });

  test("a run that is stopped, or fails, gets none", async () => {
    const { session } = await begin();
    await turn(session, "broken [[fake fail=400]]");
    expect(await jobsOf(session.id)).toEqual([]);
    expect((await get(session.id)).title_source).toBe("provisional");
  });

  test("P-10 third-message-completes, B-6: turns do not wait for the title jobs beside them", async () => {
    const { session } = await begin();
    const held = hold();
    await turn(session);
    await held.begun;
    for (let n = 0; n < 2; n++) await turn(session, `next ${n} [[fake tokens=3]]`);
    expect((await d.messages(session.id)).filter(({ role }) => role === "assistant")).toHaveLength(3);
    held.go("Trip to Lisbon");
  });
});

describe("a person's title", () => {
  test("B-10 rename-during-generation: the person's name stays, the job is skipped, no title event", async () => {
    const { session, events } = await begin();
    const held = hold();
    await turn(session);
    await held.begun;
    await rename(session.id, "The user guide");
    held.go("Trip to Lisbon");
    expect(await ended(events)).toMatchObject({ state: "skipped", reason: "manual_title" });
    expect(titleEvents(events)).toEqual([]);
    expect(await get(session.id)).toMatchObject({ title: "The user guide", title_source: "user" });
  });

  test("B-10 manual-equals-provisional, user-title-with-suspicious-words: kept whatever it says, turn after turn", async () => {
    const { session } = await begin();
    await rename(session.id, "Please plan a trip to Lisbon");
    for (let n = 0; n < 3; n++) await turn(session);
    expect(await jobsOf(session.id)).toEqual([]);
    expect((await get(session.id)).title).toBe("Please plan a trip to Lisbon");
  });

  test("taken away, the next one is automatic again", async () => {
    const { session, events } = await begin();
    await turn(session);
    await ended(events);
    await rename(session.id, null);
    expect(await get(session.id)).toMatchObject({ title: null, title_source: null });
    answer = say("Second Name");
    await turn(session);
    await eventually("a new one", async () => (await get(session.id)).title === "Second Name");
  });

  test("B-17 regenerate-replaces-manual; 422 with the reason where nothing better is found", async () => {
    const { session, events } = await begin();
    await rename(session.id, "My name");
    await turn(session);
    answer = say("Lisbon Travel Plan");
    const made = await regenerate(session.id);
    expect([made.status, made.body.session.title, made.body.session.title_source]).toEqual([
      ...[200, "Lisbon Travel Plan", "generated"],
    ]);
    await within(
      "told",
      events.until(({ event }) => event === "title"),
    );
    answer = (response) => void response.writeHead(500).end("no");
    const failed = await regenerate(session.id);
    expect([failed.status, failed.body.error.code]).toEqual([422, "title_not_found"]);
    expect(failed.body.error.details.reason).toBeTruthy();
    expect((await get(session.id)).title).toBe("Lisbon Travel Plan");
    answer = say("Third Name");
    expect((await regenerate(session.id)).body.session.title).toBe("Third Name");
  });

  test("B-3 duplicate-enqueue-ignored: five requests at once are one job and one call", async () => {
    const { session } = await begin();
    await rename(session.id, "My name");
    await turn(session);
    const held = hold();
    const all = Array.from({ length: 5 }, () => regenerate(session.id));
    await held.begun;
    held.go("Only Once");
    expect((await Promise.all(all)).map(({ status }) => status)).toEqual([200, 200, 200, 200, 200]);
    expect(asked).toHaveLength(1);
    expect(await jobsOf(session.id)).toHaveLength(1);
  });
});

describe("other stores and profiles", () => {
  test("B-18 same-title-twice: both sessions have a title, in state.db with a number", async () => {
    const made: string[] = [];
    for (let n = 0; n < 2; n++) {
      const { session, events } = await begin();
      answer = say("Twin Title");
      await turn(session);
      await ended(events);
      made.push(session.id);
    }
    for (const id of made) expect((await get(id)).title).toBe("Twin Title");
    const db = new Database(stateDb(d), { readonly: true });
    const read = db.prepare("SELECT title FROM sessions WHERE id = ?").pluck();
    await eventually("both are named there", () => {
      const found = made.map((id) => read.get(id));
      return found[0] === "Twin Title" && found[1] === "Twin Title #2";
    });
    db.close();
    // What we wrote ourselves does not come back as another program's name.
    await turn({ id: made[1] ?? "" }, "once more [[fake tokens=3]]");
    expect(await get(made[1] ?? "")).toMatchObject({ title: "Twin Title", title_source: "generated" });
  });

  test("P-5 wakeup-uses-session-profile: background work runs under its session's profile, whatever was chosen since", async () => {
    for (const name of ["alpha", "beta"]) {
      const folder = join(d.home, "profiles", name);
      await mkdir(folder, { recursive: true });
      await writeFile(join(folder, "config.yaml"), configOf());
      await writeFile(join(folder, ".env"), `OPENAI_API_KEY=key-of-${name}\n`);
    }
    const sessionOf = async (profile: string): Promise<Session> =>
      (await d.request<{ session: Session }>("POST", "/api/sessions", { profile })).body.session;
    const session = await sessionOf("alpha");
    const held = hold();
    await turn(session);
    await held.begun;
    await rename(session.id, null);
    held.go("Not This One");
    // The browser is elsewhere by now, and the server has a key of its own.
    await turn(await sessionOf("beta"));
    expect((await regenerate(session.id)).status).toBe(200);
    const keys = asked.map(({ prompt, key }) => [prompt.includes("Lisbon"), key]);
    expect(keys.filter(([, key]) => key === "Bearer key-of-alpha").length).toBeGreaterThanOrEqual(2);
    expect(
      keys.filter(([, key]) => !["Bearer key-of-alpha", "Bearer key-of-beta"].includes(String(key))),
    ).toEqual([]);
    expect((await jobsOf(session.id)).every((job) => job.profile === "alpha")).toBe(true);
  });

  test("B-4 profile-deleted-before-job: it fails, and nobody is asked with another profile's key", async () => {
    await worker.stop();
    const folder = join(d.home, "profiles", "gone");
    await mkdir(folder, { recursive: true });
    await writeFile(join(folder, "config.yaml"), configOf());
    const runs = await d.startWorker({ TALARIA_QUEUES: "runs" });
    const { session } = (await d.request<{ session: Session }>("POST", "/api/sessions", { profile: "gone" }))
      .body;
    await turn(session);
    await runs.stop();
    await rm(folder, { recursive: true });
    worker = await d.startWorker();
    await eventually("it ends", async () => {
      const [job] = await jobsOf(session.id);
      return job?.state === "failed" && job.reason === "profile_missing";
    });
    expect(asked).toEqual([]);
  });
});

describe("what is killed or stopped half-way", () => {
  test("B-2 job-runs-twice: a worker that stalls behind its call changes nothing when it wakes up", async () => {
    const { session, events } = await begin();
    const held = hold();
    await turn(session);
    await held.begun;
    worker.signal("SIGSTOP");
    const other = await d.startWorker();
    held.go("One Title");
    expect(await ended(events)).toMatchObject({ state: "done", attempt: 2 });
    worker.signal("SIGCONT");
    await eventually("both have asked", () => asked.length === 2);
    await turn(session, "afterwards [[fake tokens=3]]");
    expect(titleEvents(events)).toHaveLength(1);
    expect(events.frames.filter(isEnd)).toHaveLength(1);
    await other.stop();
  });

  test("B-1 job-visible-after-restart: a killed worker's job ends in the next one", async () => {
    const { session } = await begin();
    const held = hold();
    await turn(session);
    await held.begun;
    await Promise.all([worker.kill(), d.api.kill()]);
    held.go("After the Restart");
    await d.startApi();
    expect((await jobsOf(session.id))[0]).toMatchObject({ state: "running" });
    worker = await d.startWorker();
    await eventually("it is done", async () => (await jobsOf(session.id))[0]?.state === "done");
    expect((await get(session.id)).title).toBe("After the Restart");
  });

  test("B-9 delete-during-job: a late title makes nothing anew", async () => {
    const { session } = await begin();
    const held = hold();
    await turn(session);
    await held.begun;
    expect((await d.request("DELETE", `/api/sessions/${session.id}`)).status).toBe(204);
    held.go("Too Late");
    const later = await begin();
    answer = say("Next Title");
    await turn(later.session);
    await ended(later.events);
    expect((await d.request("GET", `/api/sessions/${session.id}`)).status).toBe(404);
    expect((await d.request("GET", `/api/jobs/title-${session.id}-first`)).status).toBe(404);
    const { data } = (await d.request<{ data: Session[] }>("GET", "/api/sessions?limit=200")).body;
    expect(data.map(({ id }) => id)).not.toContain(session.id);
  });

  test("a job that is cancelled ends at once, and its worker leaves the model (B-21's rule, for every kind)", async () => {
    const { session, events } = await begin();
    const held = hold();
    await turn(session);
    await held.begun;
    const before = await get(session.id);
    expect((await d.request("POST", `/api/jobs/title-${session.id}-first/cancel`, {})).status).toBe(200);
    expect(await ended(events)).toMatchObject({ state: "cancelled", reason: "by_person" });
    await within("the worker leaves", held.left, 5_000);
    expect(await get(session.id)).toEqual(before);
  });

  test("B-7 hung-provider: a provider that never answers ends in the fallback", async () => {
    await writeFile(join(d.home, "config.yaml"), configOf(", timeout: 0.3"));
    const { session, events } = await begin();
    answer = () => undefined;
    await turn(session);
    expect(await ended(events)).toMatchObject({ state: "done", reason: "timeout" });
    expect((await get(session.id)).title_source).toBe("generated");
    await writeFile(join(d.home, "config.yaml"), configOf());
  });

  test("B-40 on a stop signal the job is handed back and done once elsewhere", async () => {
    const { session, events } = await begin();
    const held = hold();
    await turn(session);
    await held.begun;
    const stopping = worker.stop();
    worker = await d.startWorker();
    held.go("Handed Over");
    await stopping;
    expect(await ended(events)).toMatchObject({ state: "done" });
    expect((await get(session.id)).title).toBe("Handed Over");
    expect(titleEvents(events)).toHaveLength(1);
  });
});
