import { existsSync, readFileSync, watch } from "node:fs";
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import type { Run } from "../../../common/contracts/run.ts";
import type { Session } from "../../../common/contracts/session.ts";
import { type Deployment, startDeployment } from "../../helpers/deployment.ts";
import { commandPrompt } from "../../helpers/whole.ts";

/** profiles, sections 3 to 6, with real runs on real workers; the server has a key and an identity that no run may use. */
const SERVER = { OPENAI_API_KEY: "key-of-the-server", IDENTITY_ENDPOINT: "http://127.0.0.1/identity" };
const PROBE = fileURLToPath(new URL("./fixtures/fetch-probe.ts", import.meta.url));

describe("profiles of real runs", () => {
  let d: Deployment;
  const homeOf = (name: string): string => (name === "default" ? d.home : join(d.home, "profiles", name));
  const probeFile = (): string => join(d.home, "probe.jsonl");
  const startWorker = () =>
    d.startWorker({ ...SERVER, NODE_OPTIONS: `--import=${PROBE}`, PROBE_FILE: probeFile() });

  beforeAll(async () => {
    d = await startDeployment();
    for (const name of ["a", "b"]) await writeProfile(name, `MARK=mark-of-${name}\n`);
  });
  afterAll(() => d.close());

  const writeProfile = async (name: string, env: string, provider = "custom"): Promise<void> => {
    const home = homeOf(name);
    await mkdir(join(home, "workspace"), { recursive: true });
    const model = `model:\n  provider: ${provider}\n  default: fake\n  base_url: ${d.model.url}\n`;
    await writeFile(join(home, "config.yaml"), model);
    await writeFile(join(home, ".env"), env);
  };
  const createSession = async (profile: string): Promise<Session> =>
    (await d.request<{ session: Session }>("POST", "/api/sessions", { profile })).body.session;
  const ended = async (run: Run): Promise<Run> => {
    await d.follow(run.id).ended;
    return d.getRun(run.id);
  };
  const send = async (session: Session, input: string): Promise<Run> =>
    ended(await d.startRun(session.id, input));
  /** What the probe saw in requests of this session. */
  const probed = (sessionId: string): Record<string, string>[] =>
    readFileSync(probeFile(), "utf8")
      .split("\n")
      .filter(Boolean)
      .map((line) => JSON.parse(line) as Record<string, string>)
      .filter((line) => line.TALARIA_SESSION_ID === sessionId);
  const written = (profile: string, name: string): string => {
    const file = join(homeOf(profile), "workspace", name);
    return existsSync(file) ? readFileSync(file, "utf8") : "";
  };

  test("P-10 third-message-completes: three messages, one after another, on one worker", async () => {
    const worker = await startWorker();
    const session = await createSession("a");
    for (let message = 1; message <= 3; message++)
      expect((await send(session, "[[fake tokens=3]]")).status).toBe("completed");
    expect(await worker.stop()).toBe(0);
    const lines = worker
      .output()
      .split("\n")
      .filter((line) => line.includes("profile environments"));
    expect(lines).toHaveLength(1);
    expect(JSON.parse(lines[0] ?? "")).toMatchObject({ scopes: 3, openScopes: 0, holds: 6 });
  });

  test("P-12 overlap-two-profiles: what reads process.env during a run, and its children, are the run's own", async () => {
    const worker = await startWorker();
    const profiles = ["a", "b", "default", "a", "b", "default"];
    const command = 'echo "$TALARIA_SESSION_ID $TALARIA_PROFILE $MARK $OPENAI_API_KEY" >> seen';
    const runs = await Promise.all(
      profiles.map(async (profile) => {
        const session = await createSession(profile);
        const run = await d.startRun(session.id, commandPrompt(command, "rounds=3 pre=5 tokens=30 rate=100"));
        return { profile, session, run: await ended(run) };
      }),
    );
    for (const { profile, session, run } of runs) {
      expect(run.status).toBe("completed");
      const own = {
        TALARIA_SESSION_ID: session.id,
        HERMES_HOME: homeOf(profile),
        ...(profile === "default" ? {} : { MARK: `mark-of-${profile}` }),
      };
      expect(probed(session.id)).toEqual([own, own, own, own]);
      const lines = written(profile, "seen")
        .split("\n")
        .filter((line) => line.startsWith(session.id));
      expect(lines).toEqual(Array(3).fill(`${session.id} ${profile} ${own.MARK ?? ""} `));
    }
    await worker.stop();
  });

  test("P-15 no-inherited-credential: without a key of its own the run fails before any request", async () => {
    await writeProfile("keyless", "MARK=mark-of-keyless\n", "openai");
    const worker = await startWorker();
    const before = d.model.stats().requests;
    const session = await createSession("keyless");
    const run = await send(session, "[[fake tokens=3]]");
    expect([run.status, run.error?.code]).toEqual(["failed", "auth_mismatch"]);
    expect(d.model.stats().requests).toBe(before);
    expect(probed(session.id)).toEqual([]);
    await worker.stop();
  });

  test("P-18 worker-killed-in-scope: the next worker reads the profile again, others never noticed", async () => {
    await writeProfile("killed", "MARK=old\n");
    const first = await startWorker();
    const session = await createSession("killed");
    // The first round hangs and dies with its worker; the round after it runs to its end.
    const command = 'echo "$MARK" >> marks; touch in-tool; test -e ../go || sleep 60.4';
    const started = fileAppears(join(homeOf("killed"), "workspace"), "in-tool");
    const run = await d.startRun(session.id, commandPrompt(command, "rounds=2 tokens=3"));
    await started;
    const second = await startWorker();
    await first.kill();
    await writeProfile("killed", "MARK=new\n");
    await writeFile(join(homeOf("killed"), "go"), "");
    const [resumed, other] = await Promise.all([
      ended(run),
      createSession("b").then((s) => send(s, "[[fake tokens=3]]")),
    ]);
    expect([resumed.status, other.status]).toEqual(["completed", "completed"]);
    expect(written("killed", "marks")).toBe("old\nnew\n");
    expect(probed(session.id).map(({ MARK }) => MARK)).toEqual(["old", "new", "new"]);
    expect(probed(other.session_id).map(({ MARK }) => MARK)).toEqual(["mark-of-b"]);
    await second.stop();
  });

  /** Resolves when `name` is in the folder. */
  function fileAppears(folder: string, name: string): Promise<void> {
    return new Promise((resolve) => {
      const watcher = watch(folder, () => {
        if (!existsSync(join(folder, name))) return;
        watcher.close();
        resolve();
      });
    });
  }
});
