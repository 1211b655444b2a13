import { afterAll, beforeAll, expect, test } from "@jest/globals";
import type { Session } from "../../common/contracts/session.ts";
import type { ModelServer, ObservedRequest } from "../../workers/engines/demo/model-server.ts";
import { type Deployment, startDeployment } from "../helpers/deployment.ts";
import { startFakeModel } from "../helpers/fake-model.ts";
import { commandPrompt } from "../helpers/whole.ts";

/**
 * Two profiles with keys and models of their own against one model server, at full speed (profiles P-12, P-17): every request must
 * come with key and model of the profile whose session it is for. TALARIA_TEST_SIDE_BY_SIDE_S says for how long.
 */
const SECONDS = Number(process.env.TALARIA_TEST_SIDE_BY_SIDE_S ?? 10);
const PROFILES = ["anna", "bert"] as const;
type Name = (typeof PROFILES)[number];
const SESSIONS_EACH = 24;
/** Then a new session takes its place, so that requests stay small. */
const MESSAGES_PER_SESSION = 8;
const WORKERS = 2;

let d: Deployment;
let model: ModelServer;
const counted: Record<Name, number> = { anna: 0, bert: 0 };
const wrong: unknown[] = [];

/** Every text of a session names its profile and itself. */
const MARKER = /\bsession-of-([a-z]+)-(\d+)\b/g;
const keyOf = (name: string): string => `key-of-${name}-7f3a`;
const judge = ({ body, authorization }: ObservedRequest): void => {
  const { model: modelName, messages } = body as {
    model: string;
    messages: { role: string; content: unknown }[];
  };
  const marks = [...JSON.stringify(messages).matchAll(MARKER)];
  const [mark = "", name = ""] = marks[0] ?? [];
  const alone = marks.every(([other]) => other === mark);
  if (alone && authorization === `Bearer ${keyOf(name)}` && modelName === `model-of-${name}`)
    counted[name as Name]++;
  else wrong.push({ authorization, modelName, marks: marks.map(([one]) => one) });
};

beforeAll(async () => {
  d = await startDeployment();
  model = await startFakeModel({}, judge);
  for (const name of PROFILES) {
    await d.request("POST", "/api/profiles", { name });
    const { status } = await d.request("PATCH", `/api/profiles/${name}`, {
      model: { provider: "custom", default: `model-of-${name}`, base_url: model.url },
      key: { name: "OPENAI_API_KEY", value: keyOf(name) },
    });
    expect(status).toBe(200);
  }
  for (let i = 0; i < WORKERS; i++) await d.startWorker({ OPENAI_API_KEY: "key-of-the-server" });
});
afterAll(async () => {
  await d.close();
  await model.close();
});

test(
  "profiles-side-by-side: each request has the key and the model of its session's profile",
  async () => {
    let [sessions, runs, commands] = [0, 0, 0];
    const end = performance.now() + SECONDS * 1_000;
    /** One person: message after message, and now and then a tool that prints the key it sees. */
    const talk = async (name: Name): Promise<void> => {
      while (performance.now() < end) {
        const { session } = (
          await d.request<{ session: Session }>("POST", "/api/sessions", { profile: name })
        ).body;
        const mark = `session-of-${name}-${sessions++}`;
        for (let i = 0; i < MESSAGES_PER_SESSION && performance.now() < end; i++) {
          const withCommand = i === 3;
          const check = `test "$TALARIA_PROFILE $OPENAI_API_KEY" = "${name} ${keyOf(name)}" && echo own`;
          const prompt = withCommand ? commandPrompt(check, "tokens=3") : "[[fake tokens=12 reason=2]]";
          const run = await d.startRun(session.id, `${mark} ${prompt}`);
          const follower = d.follow(run.id);
          await follower.ended;
          runs++;
          expect(follower.view.terminal?.event).toBe("done");
          if (!withCommand) continue;
          commands++;
          const result = follower.frames.find(({ event }) => event === "tool_complete");
          expect(result?.data.preview).toContain("own");
        }
      }
    };
    await Promise.all(PROFILES.flatMap((name) => Array.from({ length: SESSIONS_EACH }, () => talk(name))));

    const requests = counted.anna + counted.bert;
    process.stdout.write(
      `profiles side by side for ${SECONDS} s: ${requests} requests (${counted.anna} + ${counted.bert}), ${wrong.length} wrong, ` +
        `${runs} runs in ${sessions} sessions, ${commands} commands\n`,
    );
    expect(wrong.slice(0, 5)).toEqual([]);
    expect(requests).toBe(runs + commands);
    for (const name of PROFILES) expect(counted[name]).toBeGreaterThan(SESSIONS_EACH);
  },
  (SECONDS + 60) * 1_000,
);
