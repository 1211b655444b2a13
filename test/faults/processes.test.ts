import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "@jest/globals";
import Database from "better-sqlite3";
import type { Message } from "../../common/contracts/message.ts";
import type { Process, ProcessAnswer } from "../../common/contracts/process.ts";
import type { Run } from "../../common/contracts/run.ts";
import type { Session } from "../../common/contracts/session.ts";
import { type Deployment, startDeployment } from "../helpers/deployment.ts";
import { holdLock, rowsOf } from "../helpers/outside.ts";
import { isAlive, type TestProcess } from "../helpers/process.ts";
import { followSession, type SessionFollower } from "../helpers/session-follower.ts";
import { sidecar, stateDb } from "../helpers/truth.ts";
import { eventually, within } from "../helpers/wait.ts";

/** Background processes and the turns that their ends begin, in whole deployments (background-jobs 4; profiles P-5, P-21). */
let d: Deployment;
let worker: TestProcess;
const followers: SessionFollower[] = [];

beforeAll(async () => {
  d = await startDeployment();
  worker = await d.startWorker();
});
afterAll(async () => {
  for (const follower of followers) follower.close();
  await d.close();
});
beforeEach(async () => {
  await writeFile(join(d.home, ".env"), "");
  await configure("custom");
});

const configure = (provider: string, home = d.home): Promise<void> =>
  writeFile(
    join(home, "config.yaml"),
    `model: {provider: ${provider}, default: fake, base_url: "${d.model.url}"}\nauxiliary: {title_generation: {enabled: false}}\n`,
  );
/** A message upon which the model leaves a command running. What stands in the comment scripts the turn that its end begins. */
const leaving = (
  command: string,
  more: { readonly args?: object; readonly script?: string } = {},
): string => {
  const args = { command, background: true, ...more.args };
  const encoded = Buffer.from(JSON.stringify(args)).toString("base64url");
  return `start it [[fake tool=run_command args=${encoded} tokens=2 ${more.script ?? ""}]]`;
};
const processesOf = async (session: Pick<Session, "id">): Promise<readonly Process[]> =>
  (await d.request<{ data: Process[] }>("GET", `/api/sessions/${session.id}/processes`)).body.data;
const runsOf = async (session: Pick<Session, "id">): Promise<readonly Run[]> =>
  (
    await d.request<{ data: Run[] }>("GET", `/api/runs?session_id=${session.id}&limit=200`)
  ).body.data.toReversed();
const ended = async (run: Pick<Run, "id">): Promise<Run> => {
  await within("the run ends", d.follow(run.id).ended);
  return d.getRun(run.id);
};
const machineMade = (messages: readonly Message[]): readonly Message[] =>
  messages.filter(({ source }) => source === "process");
/** Turns of a session that the system began, once there are so many and all of them have ended. */
const wakes = (session: Pick<Session, "id">, count: number): Promise<readonly Run[]> =>
  eventually(
    `${count} turns were begun for ended processes`,
    async () => {
      const begun = (await runsOf(session)).filter(({ source }) => source === "process");
      return begun.length >= count && begun.every(({ ended_at }) => ended_at !== null) && begun;
    },
    40_000,
  );
const follow = async (session: Pick<Session, "id">): Promise<SessionFollower> => {
  const follower = await followSession(() => d.url(), session.id);
  followers.push(follower);
  return follower;
};
/** A command that goes on until `open` is called, then prints what it is told and ends. */
const gate = (name: string, last = "opened", code = 0) => {
  const path = join(d.home, `gate-${name}`);
  return {
    command: `while [ ! -e '${path}' ]; do sleep 0.05; done; echo '${last}'; exit ${code}`,
    open: () => writeFile(path, ""),
  };
};
const inDb = <T>(work: (db: Database.Database) => T): T => {
  const db = new Database(join(d.home, "talaria", "talaria.db"));
  try {
    return work(db);
  } finally {
    db.close();
  }
};
/** Writes an end that waits for its session, as a process that is gone left it. */
const put = (
  session: Pick<Session, "id">,
  row: { readonly id: string; readonly command?: string; readonly reason?: string | null },
): void =>
  inDb((db) => {
    const now = Date.now() / 1000;
    db.prepare(
      `insert into processes (id, session_id, profile, run_id, command, worker, state, notify, started_at, seen_at, ended_at,
         reason, exit_code, completion)
       values (@id, @session, 'default', 'run_x', @command, 'w', 'ended', 1, @now, @now, @now, @reason, 0, 'pending')`,
    ).run({ session: session.id, now, command: "true", reason: "exited", ...row });
  });
/**
 * Resolves when what was missed has been looked for: an end in a session of its own that only such a look finds has its turn. Another
 * turn that the same look began would be there, too.
 */
const lookedForMissed = async (): Promise<void> => {
  const marker = await d.createSession();
  put(marker, { id: `proc_of_${marker.id}` });
  await wakes(marker, 1);
};
/** A session with a turn that started a process which goes on, and the process. */
const withProcess = async (command: string, args: object = {}, at: Session | null = null) => {
  const session = at ?? (await d.createSession());
  const run = await ended(await d.startRun(session.id, leaving(command, { args })));
  const [process] = await processesOf(session);
  if (process === undefined) throw new Error("no process");
  return { session, run, process };
};

describe("a command in the background", () => {
  test("outlives its call and its run; its end begins one turn that knows how it ended and what it printed", async () => {
    const open = gate("plain", "all tests pass", 3);
    const session = await d.createSession();
    const events = await follow(session);
    const { run, process } = await withProcess(open.command, {}, session);
    expect(run).toMatchObject({ status: "completed", source: "user" });
    expect(process).toMatchObject({ state: "running", run_id: run.id, session_id: session.id, notify: true });
    await open.open();
    const [wake] = await wakes(session, 1);
    expect(wake).toMatchObject({ status: "completed", profile: "default" });
    const [over] = await processesOf(session);
    expect(over).toMatchObject({ state: "ended", reason: "exited", exit_code: 3 });
    expect(over).toMatchObject({ completion: "started", wake_run_id: wake?.id });
    const messages = await d.messages(session.id);
    const [notice] = machineMade(messages);
    expect(notice).toMatchObject({ role: "user", run_id: wake?.id, source: "process" });
    expect(notice?.parts?.[0]).toMatchObject({
      type: "process",
      process_id: process.id,
      outcome: "exit code 3",
    });
    for (const part of [
      "System notice, not written by the user",
      process.id,
      "exit code 3",
      "all tests pass",
    ])
      expect(notice?.content).toContain(part);
    const states = events.frames.flatMap(({ event, data }) =>
      event === "process"
        ? [`${(data.process as Process).state} ${(data.process as Process).completion}`]
        : [],
    );
    expect(states.at(0)).toBe("running none");
    expect(states.at(-1)).toBe("ended started");
    const { body } = await d.request<ProcessAnswer>("GET", `/api/processes/${process.id}`);
    expect(body.output).toContain("all tests pass");
  });

  test("one that wants no notice, one that asks for silence and one that says nothing that can be read begin nothing", async () => {
    const { session } = await withProcess("true", { notify_on_complete: false });
    await withProcess("echo done; echo '[SILENT]'", {}, session);
    // What no version of this program writes: a command of nothing, and an end without a reason.
    put(session, { id: "proc_blank", command: "  " });
    put(session, { id: "proc_odd", reason: null });
    await eventually("all are over", async () =>
      (await processesOf(session)).every(
        ({ state, completion }) => state === "ended" && completion === "none",
      ),
    );
    expect((await runsOf(session)).map(({ source }) => source)).toEqual(["user", "user"]);
    expect(machineMade(await d.messages(session.id))).toEqual([]);
  });

  test("a session reaches its own processes with its tool, and no other's", async () => {
    const open = gate("own", "from the other session");
    const { process } = await withProcess(open.command);
    const mine = gate("mine", "never");
    const { session } = await withProcess(`echo begun; ${mine.command}`);
    const [own] = await processesOf(session);
    const use = async (args: object): Promise<string> => {
      const encoded = Buffer.from(JSON.stringify(args)).toString("base64url");
      await ended(await d.startRun(session.id, `look [[fake tool=process args=${encoded} tokens=2]]`));
      return (await d.messages(session.id)).findLast(({ role }) => role === "tool")?.content ?? "";
    };
    for (const action of ["output", "kill"])
      expect(await use({ action, id: process.id })).toContain("has no background process");
    expect(await use({ action: "list" })).toContain(`${own?.id}: running`);
    expect(await use({ action: "list" })).not.toContain(process.id);
    expect(await use({ action: "output", id: own?.id })).toContain("begun");
    expect(await use({ action: "kill", id: own?.id })).toContain("ended (killed)");
    // Who ended it knows.
    expect((await processesOf(session))[0]).toMatchObject({ reason: "killed", completion: "none" });
    await open.open();
  });

  test("a person ends one: it is shown and begins no turn; its group is gone", async () => {
    const { session, process } = await withProcess("sleep 300 & echo $! ; wait");
    const { body } = await eventually("it has printed", async () => {
      const answer = await d.request<ProcessAnswer>("GET", `/api/processes/${process.id}`);
      return /\d+/.test(answer.body.output) && answer;
    });
    const child = Number(body.output.trim());
    const kill = () => d.request<ProcessAnswer>("POST", `/api/processes/${process.id}/kill`, {});
    expect((await kill()).status).toBe(202);
    await eventually("it is told", async () => (await processesOf(session))[0]?.completion === "told");
    expect((await kill()).status).toBe(200);
    expect((await processesOf(session))[0]).toMatchObject({ reason: "killed" });
    await eventually("all that it started is gone", () => !isAlive(child));
    const last = (await d.messages(session.id)).at(-1);
    expect(last).toMatchObject({ role: "notice", source: "process" });
    expect(last?.content).toContain("ended by a person");
    expect((await runsOf(session)).filter(({ source }) => source === "process")).toEqual([]);
    expect((await d.request("POST", "/api/processes/proc_none/kill", {})).status).toBe(404);
  });

  test("a session has eight at most; the ninth is refused with the reason", async () => {
    const session = await d.createSession();
    const encoded = Buffer.from(JSON.stringify({ command: "sleep 300", background: true })).toString(
      "base64url",
    );
    const script = `[[fake tool=run_command args=${encoded} parallel=9 tokens=2]]`;
    await ended(await d.startRun(session.id, `start nine ${script}`));
    const results = (await d.messages(session.id)).filter(({ role }) => role === "tool");
    expect(results.map(({ is_error }) => is_error)).toEqual([...Array(8).fill(false), true]);
    expect(results.at(-1)?.content).toContain("8 background processes already");
    expect(await processesOf(session)).toHaveLength(8);
    await d.request("DELETE", `/api/sessions/${session.id}`, {});
  });

  test("its time limit ends it, and the turn says so", async () => {
    const { session } = await withProcess("sleep 300", { max_life_s: 1 });
    await wakes(session, 1);
    expect((await processesOf(session))[0]).toMatchObject({ reason: "time_limit", completion: "started" });
    expect(machineMade(await d.messages(session.id))[0]?.content).toContain("time limit");
  });

  test("what it prints is redacted and bounded, also across the cut", async () => {
    await writeFile(join(d.home, ".env"), "MY_SECRET=very-secret-value-0123456789\n");
    const flood = 'i=0; while [ $i -lt 3000 ]; do echo "$i $MY_SECRET"; i=$((i+1)); done';
    const { session, process } = await withProcess(`${flood}; # very-secret-value-0123456789`);
    await wakes(session, 1);
    const { body } = await d.request<ProcessAnswer>("GET", `/api/processes/${process.id}`);
    expect(body.output.length).toBeLessThan(40_000);
    expect(body.output).toContain("2999 [redacted]");
    const all = JSON.stringify([body, await d.messages(session.id)]);
    expect(all).not.toContain("secret-value");
  });
});

describe("whose it is", () => {
  test("B-35, P-21 two-sessions-two-processes, completion-owner: each session gets its own completion, 100 of 100", async () => {
    const [a, b] = [await d.createSession(), await d.createSession()];
    for (let trial = 1; trial <= 100; trial++) {
      const words = [a, b].map((session) => `${trial} of ${session.id}`);
      await Promise.all(
        [a, b].map(async (session, i) =>
          ended(await d.startRun(session.id, leaving(`echo '${words[i]}'`), { on_busy: "queue" })),
        ),
      );
    }
    for (const session of [a, b]) {
      const told = await eventually("every end was told", async () => {
        const texts = machineMade(await everyMessage(session)).map(({ content }) => content);
        const all = texts.flatMap((text) => text.match(/^\d+ of \S+$/gm) ?? []);
        return all.length >= 100 && all;
      });
      expect(told.toSorted()).toEqual(
        Array.from({ length: 100 }, (_, i) => `${i + 1} of ${session.id}`).toSorted(),
      );
    }
  }, 180_000);

  test("P-5 wakeup-uses-session-profile: the turn runs under the session's profile, whatever is used elsewhere", async () => {
    for (const name of ["a", "b"]) {
      await mkdir(join(d.home, "profiles", name), { recursive: true });
      await configure("custom", join(d.home, "profiles", name));
    }
    const make = async (profile: string) =>
      (await d.request<{ session: Session }>("POST", "/api/sessions", { profile })).body.session;
    const open = gate("profile");
    const { session, process } = await withProcess(
      `echo "as $TALARIA_PROFILE"; ${open.command}`,
      {},
      await make("a"),
    );
    expect(process.profile).toBe("a");
    await ended(await d.startRun((await make("b")).id, "hello [[fake tokens=2]]"));
    // P-26: the profile has work.
    const gone = await d.request<{ error: object }>("DELETE", "/api/profiles/a", {});
    expect(gone.status).toBe(409);
    expect(gone.body.error).toMatchObject({ code: "profile_busy", details: { process_ids: [process.id] } });
    await open.open();
    const [wake] = await wakes(session, 1);
    expect(wake).toMatchObject({ profile: "a", status: "completed" });
    expect(machineMade(await d.messages(session.id))[0]?.content).toContain("as a");
  });
});

const everyMessage = async (session: Pick<Session, "id">): Promise<readonly Message[]> => {
  const all: Message[] = [];
  for (let before = ""; ; ) {
    const path = `/api/sessions/${session.id}/messages?limit=200${before === "" ? "" : `&before=${before}`}`;
    const { data, next_cursor } = (
      await d.request<{ data: Message[]; next_cursor: string | null }>("GET", path)
    ).body;
    all.unshift(...data);
    if (next_cursor === null) return all;
    before = encodeURIComponent(next_cursor);
  }
};

describe("once, and at the right time", () => {
  test("B-36 wakeup-races-user: a completion and a message at the same time both get their turn, each once, 20 of 20", async () => {
    const session = await d.createSession();
    for (let trial = 0; trial < 20; trial++) {
      const open = gate(`race-${trial}`, `end number ${trial}.`);
      await withProcess(open.command, {}, session);
      const before = (await runsOf(session)).length;
      await Promise.all([
        open.open(),
        eventually("the message is accepted", async () => {
          const path = `/api/sessions/${session.id}/runs`;
          const answer = await d.request<{ run: Run }>("POST", path, {
            input: `message ${trial} [[fake tokens=2]]`,
          });
          return answer.status === 202;
        }),
      ]);
      await eventually("both turns have ended", async () => {
        const runs = (await runsOf(session)).slice(before);
        return runs.length === 2 && runs.every(({ status }) => status === "completed");
      });
    }
    const messages = await everyMessage(session);
    const count = (text: string) =>
      messages.filter(({ role, content }) => role === "user" && content.includes(text)).length;
    for (let trial = 0; trial < 20; trial++) {
      expect(count(`end number ${trial}.`)).toBe(1);
      expect(count(`message ${trial} `)).toBe(1);
    }
  }, 120_000);

  test("B-36, C-48: an end during a turn waits for it, and for the messages that the user has queued", async () => {
    const open = gate("behind");
    const { session } = await withProcess(open.command);
    const first = await d.startRun(session.id, "one [[fake tokens=40 rate=20]]");
    await d.follow(first.id).until(() => true);
    const second = await d.startRun(session.id, "two [[fake tokens=2]]", { on_busy: "queue" });
    await open.open();
    const [wake] = await wakes(session, 1);
    const order = (await runsOf(session)).map(({ id }) => id);
    expect(order.slice(-3)).toEqual([first.id, second.id, wake?.id]);
    const [a, b] = await Promise.all([d.getRun(second.id), d.getRun(wake?.id ?? "")]);
    expect(b.started_at).toBeGreaterThanOrEqual(a.ended_at ?? Number.NaN);
  });

  test("B-36: a turn of the system's that nobody has begun lets the user's message go first, and is not refused to it", async () => {
    const session = await d.createSession();
    await worker.kill();
    put(session, { id: "proc_before", command: "make" });
    await eventually("the turn is accepted", async () => (await runsOf(session)).length === 1);
    const mine = await d.startRun(session.id, "me first [[fake tokens=2]]");
    expect(mine.position).toBe(0);
    const next = await d.startRun(session.id, "and me [[fake tokens=2]]", { on_busy: "queue" });
    worker = await d.startWorker();
    await eventually("all have ended", async () =>
      (await runsOf(session)).every(({ status }) => status === "completed"),
    );
    const system = (await runsOf(session)).find(({ source }) => source === "process");
    expect(system?.started_at).toBeGreaterThanOrEqual((await d.getRun(next.id)).ended_at ?? Number.NaN);
    expect((await d.getRun(next.id)).started_at).toBeGreaterThanOrEqual(
      (await d.getRun(mine.id)).ended_at ?? Number.NaN,
    );
    const order = ["user", "assistant", "user", "assistant", "process", "assistant"];
    expect((await d.messages(session.id)).map(({ role, source }) => source ?? role)).toEqual(order);
  });

  test("B-37 stale-completion: an end of seven hours ago is shown; the model sees only the message", async () => {
    const { session } = await withProcess("true", { notify_on_complete: false });
    const [process] = await eventually("it has ended", async () => {
      const all = await processesOf(session);
      return all[0]?.state === "ended" && all;
    });
    d.model.reset();
    inDb((db) =>
      db
        .prepare(
          "update processes set notify = 1, completion = 'pending', ended_at = ended_at - 7 * 3600 where id = ?",
        )
        .run(process?.id),
    );
    const run = await ended(await d.startRun(session.id, "what is new? [[fake tokens=2]]"));
    expect(run.status).toBe("completed");
    await eventually("it is told", async () => (await processesOf(session))[0]?.completion === "told");
    const notice = (await d.messages(session.id)).find(({ role }) => role === "notice");
    expect(notice).toMatchObject({ source: "process", run_id: null });
    expect(notice?.content).toContain("some time ago");
    await ended(await d.startRun(session.id, "and now? [[fake tokens=2]]"));
    expect(JSON.stringify(d.model.requests())).not.toMatch(/Background process|System notice/);
    expect((await runsOf(session)).every(({ source }) => source === "user")).toBe(true);
  });

  test("B-38 wakeup-not-user: stopped and reloaded, the turn is shown as a background notice everywhere", async () => {
    const { session } = await withProcess("true # [[fake tokens=400 rate=20]]");
    const wake = await eventually("the turn runs", async () =>
      (await runsOf(session)).find(({ source, status }) => source === "process" && status === "running"),
    );
    const follower = d.follow(wake.id);
    await follower.until(() => follower.text().length > 20);
    await d.request("POST", `/api/runs/${wake.id}/cancel`, {});
    expect((await ended(wake)).status).toBe("cancelled");
    const queued = follower.frames.find(({ event }) => event === "run_queued");
    expect((queued?.data.message as Message | undefined)?.source).toBe("process");
    await d.api.kill();
    await d.startApi();
    expect(await d.getRun(wake.id)).toMatchObject({ source: "process", status: "cancelled" });
    const messages = await d.messages(session.id);
    expect(
      messages.filter(({ run_id }) => run_id === wake.id).map(({ role, source }) => source ?? role),
    ).toEqual([...["process", "assistant", "notice"]]);
    const exported = async (format: string) =>
      (await fetch(`${d.url()}/api/sessions/${session.id}/export?format=${format}`)).text();
    expect((await exported("markdown")).match(/^## .*/gm)).toEqual([
      ...["## User", "## Assistant", "## Tool result: run\\_command", "## Assistant"],
      ...["## Background notice", expect.stringContaining("## Assistant"), "## Notice"],
    ]);
    const copy = (await d.request<{ session: Session }>("POST", `/api/sessions/${session.id}/duplicate`, {}))
      .body;
    await eventually(
      "the copy has it, too",
      async () => machineMade(await d.messages(copy.session.id)).length === 1,
    );
    // In state.db it is a row like any other, and ours knows what it is.
    const db = new Database(stateDb(d), { readonly: true });
    const rows = db
      .prepare("SELECT role, content FROM messages WHERE session_id = ? ORDER BY id")
      .all(session.id);
    db.close();
    expect(rows).toContainEqual({
      role: "user",
      content: expect.stringContaining("[System notice, not written by"),
    });
    // It can be run again as what it is, and is nothing that a person may edit or finds in the composer.
    const notice = machineMade(messages)[0];
    const edit = { message_id: notice?.id, input: "x" };
    expect((await d.request("POST", `/api/sessions/${session.id}/edit`, edit)).status).toBe(400);
    const again = await d.request<{ run: Run }>("POST", `/api/sessions/${session.id}/retry`, {});
    expect(again.body.run.source).toBe("process");
    await d.request("POST", `/api/runs/${again.body.run.id}/cancel`, {});
    await ended(again.body.run);
    const undone = await d.request<{ input: string | null }>("POST", `/api/sessions/${session.id}/undo`, {
      turns: 1,
    });
    expect(undone.body.input).toBeNull();
  });

  test("B-38: also between the append to state.db and the binding it is no message of a person's", async () => {
    const open = gate("between");
    const { session } = await withProcess(open.command);
    await eventually("the first turn is in state.db", () => rowsOf(stateDb(d), session.id).length === 4);
    const store = holdLock(stateDb(d));
    await open.open();
    await eventually("the turn is committed", async () => (await runsOf(session))[1]?.status === "completed");
    const side = holdLock(sidecar(d));
    store.end();
    try {
      await eventually("the turn is appended", () => rowsOf(stateDb(d), session.id).length === 6);
      expect((await d.messages(session.id)).map(({ role, source }) => source ?? role).slice(-2)).toEqual([
        ...["process", "assistant"],
      ]);
    } finally {
      side.end();
    }
  });

  test("B-39 wakeup-pause: without a key 50 completions make one failed turn; once there is one, the next works", async () => {
    await configure("openai");
    await writeFile(join(d.home, ".env"), "OPENAI_API_KEY=key-of-the-profile\n");
    const session = await d.createSession();
    const encoded = Buffer.from(JSON.stringify({ command: "true", background: true })).toString("base64url");
    const script = `[[fake tool=run_command args=${encoded} rounds=25 parallel=2 tokens=2]]`;
    const run = await d.startRun(session.id, `start fifty ${script}`);
    await d.follow(run.id).until(({ event }) => event === "run_started");
    await writeFile(join(d.home, ".env"), "");
    expect((await ended(run)).status).toBe("completed");
    const [failed] = await wakes(session, 1);
    expect(failed).toMatchObject({ status: "failed", error: { code: "auth_mismatch" } });
    await eventually("all have ended", async () =>
      (await processesOf(session)).every(({ state }) => state === "ended"),
    );
    const all = await processesOf(session);
    expect(all).toHaveLength(50);
    expect(all.filter(({ completion }) => completion === "pending").length).toBeGreaterThan(0);
    // A look for what was missed begins nothing either.
    await lookedForMissed();
    expect(await runsOf(session)).toHaveLength(2);
    await writeFile(join(d.home, ".env"), "OPENAI_API_KEY=another-key\n");
    await eventually("the rest is delivered", async () => {
      const left = await processesOf(session);
      return left.every(({ completion }) => completion === "started");
    });
    const later = (await wakes(session, 2)).slice(1);
    expect(later.every(({ status }) => status === "completed")).toBe(true);
    expect(later.length).toBeLessThan(5);
    // Without the key they wait again. A user's message is never held, and lifts the pause: what waited is tried behind it.
    await writeFile(join(d.home, ".env"), "");
    const turns = (await runsOf(session)).length;
    put(session, { id: "proc_pauses" });
    await eventually("the next one fails", async () => (await runsOf(session))[turns]?.status === "failed");
    put(session, { id: "proc_waits" });
    await lookedForMissed();
    expect(await runsOf(session)).toHaveLength(turns + 1);
    const waiting = (await d.request<ProcessAnswer>("GET", "/api/processes/proc_waits")).body.process;
    expect(waiting.completion).toBe("pending");
    await ended(await d.startRun(session.id, "me [[fake tokens=2]]"));
    const last = await eventually("what waited has its turn", async () => {
      const runs = (await runsOf(session)).slice(turns);
      return runs.length === 3 && runs.every(({ ended_at }) => ended_at !== null) && runs;
    });
    expect(last.map(({ source, status }) => `${source} ${status}`)).toEqual([
      ...["process failed", "user failed", "process failed"],
    ]);
  });
});

describe("whatever dies in between", () => {
  const once = async (session: Pick<Session, "id">, reason: string): Promise<void> => {
    const [wake] = await wakes(session, 1);
    expect(wake?.status).toBe("completed");
    expect((await processesOf(session))[0]).toMatchObject({
      reason,
      completion: "started",
      wake_run_id: wake?.id,
    });
    // A look later it is still one.
    await lookedForMissed();
    expect((await runsOf(session)).filter(({ source }) => source === "process")).toHaveLength(1);
    expect(machineMade(await d.messages(session.id))).toHaveLength(1);
  };

  test("kill -9 of the worker: its process ends with it, which is told by another one", async () => {
    const { session } = await withProcess("echo $$; sleep 300");
    await worker.kill();
    worker = await d.startWorker();
    await once(session, "worker_lost");
    expect(machineMade(await d.messages(session.id))[0]?.content).toContain("because its worker ended");
  });

  test("kill -9 of the worker and of the api at the moment of the end", async () => {
    for (let trial = 0; trial < 2; trial++) {
      const open = gate(`killed-${trial}`);
      const { session } = await withProcess(open.command);
      await open.open();
      await eventually("it has ended", async () => {
        const rows = inDb((db) =>
          db.prepare("select state from processes where session_id = ?").all(session.id),
        );
        return JSON.stringify(rows).includes("ended");
      });
      await Promise.all([worker.kill(), d.api.kill()]);
      await d.startApi();
      worker = await d.startWorker();
      await once(session, "exited");
    }
  }, 120_000);

  test("kill -9 of the api alone, while a turn of the system's runs", async () => {
    const open = gate("api");
    const { session } = await withProcess(open.command);
    await d.api.kill();
    await open.open();
    await d.startApi();
    await once(session, "exited");
  });

  test("Redis away at the end, back later", async () => {
    const open = gate("redis");
    const { session } = await withProcess(open.command);
    await d.redis.kill();
    await open.open();
    await eventually("its end is written down", () =>
      inDb(
        (db) =>
          db.prepare("select state from processes where session_id = ?").pluck().get(session.id) === "ended",
      ),
    );
    await d.restartRedis();
    await once(session, "exited");
  });

  test("a worker that is stopped ends its processes and says so; another one tells it", async () => {
    const { session } = await withProcess("trap '' TERM; echo stubborn; while true; do sleep 0.1; done");
    const other = await d.startWorker();
    expect(await worker.stop()).toBe(0);
    worker = other;
    await once(session, "worker_stopped");
  });

  test("a worker that was silent for too long, and is there again, ends what is not its own any more", async () => {
    const { session, process } = await withProcess("echo $$; sleep 300");
    const { output } = await eventually("it has printed", async () => {
      const { body } = await d.request<ProcessAnswer>("GET", `/api/processes/${process.id}`);
      return /\d+/.test(body.output) && body;
    });
    const other = await d.startWorker();
    worker.signal("SIGSTOP");
    await once(session, "worker_lost");
    worker.signal("SIGCONT");
    await eventually("its process is gone", () => !isAlive(Number(output.trim())));
    expect((await processesOf(session))[0]).toMatchObject({ reason: "worker_lost" });
    await other.stop();
  });

  test("B-9: a deleted session takes its processes with it", async () => {
    const { session, process } = await withProcess("echo $$; sleep 300");
    const { output } = await eventually("it has printed", async () => {
      const { body } = await d.request<ProcessAnswer>("GET", `/api/processes/${process.id}`);
      return /\d+/.test(body.output) && body;
    });
    await d.request("DELETE", `/api/sessions/${session.id}`, {});
    await eventually("it is gone", () => !isAlive(Number(output.trim())));
    expect((await d.request("GET", `/api/processes/${process.id}`)).status).toBe(404);
  });
});
