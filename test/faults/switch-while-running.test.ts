import { mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "@jest/globals";
import Database from "better-sqlite3";
import type { ProfileView } from "../../common/contracts/profile.ts";
import type { Run } from "../../common/contracts/run.ts";
import type { Session } from "../../common/contracts/session.ts";
import { type Deployment, startDeployment } from "../helpers/deployment.ts";
import { type Asked, type RecordedModel, startRecordedModel } from "../helpers/recorded-model.ts";
import { eventually } from "../helpers/wait.ts";
import { commandPrompt } from "../helpers/whole.ts";

let d: Deployment;
let model: RecordedModel;

beforeAll(async () => {
  d = await startDeployment();
  model = await startRecordedModel(d.model);
  await d.startWorker();
});
afterAll(async () => {
  await model.close();
  await d.close();
});

/** Everything that tells one profile, and one state of it, from another. */
interface Look {
  readonly key: string;
  readonly modelName: string;
  readonly persona: string;
  readonly memory: string;
  readonly skill: string;
  readonly mark: string;
}
const lookOf = (word: string): Look => ({
  key: `key-of-${word}`,
  modelName: `model-of-${word}`,
  persona: `You are ${word}.`,
  memory: `${word} remembers.`,
  skill: `skill-of-${word}`,
  mark: `mark-of-${word}`,
});
const [A, A_LATER, B] = [lookOf("anna"), lookOf("anna-later"), lookOf("bert")];
const folderOf = (name: string): string => join(d.home, "profiles", name);
const expectStatus = async (status: number, method: string, path: string, body: unknown): Promise<void> => {
  expect([path, (await d.request(method, path, body)).status]).toEqual([path, status]);
};

/** Makes the profile look like this, over HTTP and, where there is no other way, in its files. */
const dress = async (name: string, look: Look, maxSteps: number): Promise<void> => {
  await expectStatus(200, "PATCH", `/api/profiles/${name}`, {
    model: { provider: "custom", default: look.modelName, base_url: model.url },
    ...{ key: { name: "OPENAI_API_KEY", value: look.key }, instructions: look.persona },
    agent: { max_steps: maxSteps },
  });
  await expectStatus(200, "POST", `/api/profiles/${name}/keys`, { name: "MARK", value: look.mark });
  const [memories, skill] = [join(folderOf(name), "memories"), join(folderOf(name), "skills", look.skill)];
  await mkdir(memories, { recursive: true });
  await mkdir(skill, { recursive: true });
  await writeFile(join(memories, "MEMORY.md"), look.memory);
  await writeFile(join(skill, "SKILL.md"), `---\nname: ${look.skill}\ndescription: d\n---\n`);
};
const sessionOf = async (profile: string): Promise<Session> =>
  (await d.request<{ session: Session }>("POST", "/api/sessions", { profile })).body.session;
const revisionOf = async (name: string): Promise<string | null> =>
  (await d.request<{ profile: ProfileView }>("GET", `/api/profiles/${name}`)).body.profile.config_revision;
const ended = async (run: Run): Promise<Run> => {
  await d.follow(run.id).ended;
  return d.getRun(run.id);
};

/** What a request says of the profile it is made for. */
const seenIn = ({ authorization, body }: Asked, looks: readonly Look[]) => {
  const { model: modelName, messages } = JSON.parse(body) as {
    model: string;
    messages: { role: string; content: string }[];
  };
  const system = messages.find(({ role }) => role === "system")?.content ?? "";
  const parts = looks.flatMap(({ persona, memory, skill }) => [persona, memory, `- ${skill}: d`]);
  return { key: authorization, modelName, told: parts.filter((part) => system.includes(part)) };
};
const expectedOf = ({ key, modelName, persona, memory, skill }: Look) => ({
  key: `Bearer ${key}`,
  modelName,
  told: [persona, memory, `- ${skill}: d`],
});

test("P-4 switch-while-running: a run keeps its profile as it was, whatever the same browser does meanwhile", async () => {
  for (const [name, look] of [["a", A] as const, ["b", B] as const]) {
    await d.request("POST", "/api/profiles", { name });
    await dress(name, look, 20);
  }
  const before = await revisionOf("a");
  const [inA, inB] = [await sessionOf("a"), await sessionOf("b")];

  // Three model calls; the first command waits for the edits, at most 20 s.
  const command =
    'echo "$MARK $OPENAI_API_KEY" >> marks; for i in $(seq 400); do test -e go && break; sleep 0.05; done';
  const running = await d.startRun(inA.id, `of-a ${commandPrompt(command, "rounds=2 tokens=3")}`);
  const marks = (name: string): Promise<string> =>
    readFile(join(folderOf(name), "workspace", "marks"), "utf8").catch(() => "");
  await eventually("the command of A runs", async () => (await marks("a")) !== "");

  const other = await ended(
    await d.startRun(inB.id, `of-b ${commandPrompt('echo "$MARK" >> marks', "tokens=3")}`),
  );
  await dress("a", A_LATER, 1);
  expect((await d.getRun(running.id)).status).toBe("running");
  await writeFile(join(folderOf("a"), "workspace", "go"), "");
  const run = await ended(running);

  expect([run.status, other.status]).toEqual(["completed", "completed"]);
  const requestsOf = (word: string): readonly Asked[] =>
    model.asked.filter(({ body }) => body.includes(word));
  const looks = [A, A_LATER, B];
  // More steps than A may make by now: the limit is the run's own, too.
  expect(requestsOf("of-a").map((one) => seenIn(one, looks))).toEqual(Array(3).fill(expectedOf(A)));
  expect(requestsOf("of-b").map((one) => seenIn(one, looks))).toEqual(Array(2).fill(expectedOf(B)));
  expect(await marks("a")).toBe(`${A.mark} ${A.key}\n`.repeat(2));
  expect(await marks("b")).toBe(`${B.mark}\n`);
  expect(run).toMatchObject({ profile: "a", config_revision: before });
  expect(run.usage?.output_tokens).toBeGreaterThan(0);
  // What was said is in the store of its own profile, and only there.
  expect(sessionsIn("a")).toEqual([inA.id]);
  expect(sessionsIn("b")).toEqual([inB.id]);

  model.forget();
  const next = await ended(await d.startRun(inA.id, "of-a-later [[fake tokens=3]]"));
  expect(next.status).toBe("completed");
  expect(model.asked.map((one) => seenIn(one, [A_LATER, B]))).toEqual([expectedOf(A_LATER)]);
  expect(next.config_revision).not.toBe(before);
});

const sessionsIn = (profile: string): readonly unknown[] => {
  const db = new Database(join(folderOf(profile), "state.db"), { readonly: true });
  try {
    return db.prepare("SELECT DISTINCT session_id FROM messages").pluck().all();
  } finally {
    db.close();
  }
};
