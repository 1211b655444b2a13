import { mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import type { Run } from "../../../common/contracts/run.ts";
import type { Session } from "../../../common/contracts/session.ts";
import { type Deployment, startDeployment } from "../../helpers/deployment.ts";
import type { TestProcess } from "../../helpers/process.ts";
import { isAlive } from "../../helpers/process.ts";
import { eventually, within } from "../../helpers/wait.ts";
import { $, fixture, section } from "./harness.ts";

/** profiles P-22 with real runs on real workers. The server has keys that no tool server may see. */
const SERVER = { OPENAI_API_KEY: "canary-of-the-server", TALARIA_SECRET: "canary-of-the-server" };

describe("MCP servers of real runs", () => {
  let d: Deployment;
  let worker: TestProcess;
  beforeAll(async () => {
    d = await startDeployment();
    worker = await d.startWorker(SERVER);
  });
  afterAll(() => d.close());

  const homeOf = (name: string): string => join(d.home, "profiles", name);
  const writeProfile = async (
    name: string,
    servers: Readonly<Record<string, unknown>>,
    env = "",
  ): Promise<void> => {
    await mkdir(homeOf(name), { recursive: true });
    const model = `model: {provider: custom, default: fake, base_url: "${d.model.url}"}\n`;
    await writeFile(join(homeOf(name), "config.yaml"), model + section(servers));
    await writeFile(join(homeOf(name), ".env"), env);
  };
  const createSession = async (profile: string): Promise<Session> =>
    (await d.request<{ session: Session }>("POST", "/api/sessions", { profile })).body.session;
  const prompt = (tool: string, args: unknown = {}, more = "tokens=3"): string =>
    `[[fake tool=${tool} args=${Buffer.from(JSON.stringify(args)).toString("base64url")} ${more}]]`;
  const start = async (profile: string, input: string): Promise<Run> =>
    d.startRun((await createSession(profile)).id, input);
  const ended = async (run: Run): Promise<Run> => {
    await within("the run ends", d.follow(run.id).ended);
    return d.getRun(run.id);
  };
  /** What the run's tool calls answered. */
  const results = async (run: Run): Promise<readonly string[]> =>
    (await d.messages(run.session_id)).filter(({ role }) => role === "tool").map(({ content }) => content);
  const calls = async (profile: string, input: string): Promise<readonly string[]> => {
    const run = await ended(await start(profile, input));
    expect(run.status).toBe("completed");
    return results(run);
  };
  const pidOf = async (profile: string, server: string): Promise<number> =>
    (JSON.parse((await calls(profile, prompt(`mcp_${server}_who`)))[0] ?? "{}") as { pid: number }).pid;
  const lines = async (file: string): Promise<readonly string[]> =>
    (await readFile(file, "utf8").catch(() => "")).split("\n").filter((line) => line !== "");

  test("P-22 same-mcp-name-two-profiles: each run talks to its own, at the same time", async () => {
    await writeProfile("a", { postgres: fixture("database of a") });
    await writeProfile("b", { postgres: fixture("database of b"), more: fixture("more of b") });
    await writeProfile("c", {});
    const asked = await Promise.all(
      ["a", "b", "a", "b", "c"].map((profile) => calls(profile, prompt("mcp_postgres_who"))),
    );
    const seen = asked.slice(0, 4).map(([text]) => JSON.parse(text ?? "") as { label: string; pid: number });
    expect(seen.map(({ label }) => label)).toEqual([
      "database of a",
      "database of b",
      "database of a",
      "database of b",
    ]);
    expect(new Set(seen.map(({ pid }) => pid)).size).toBe(2);
    expect(asked[4]?.[0]).toContain('There is no tool called "mcp_postgres_who"');
    expect((await calls("a", prompt("mcp_more_who")))[0]).toContain('There is no tool called "mcp_more_who"');
  });

  test("P-20, P-25: no key of the server, of another profile, or of its own that it was not given reaches a server", async () => {
    const seen = join(d.home, "seen.json");
    await writeProfile("rich", {}, "OTHER_PROFILE_KEY=canary-of-rich\n");
    const env = {
      SEEN: seen,
      GIVEN: $("GIVEN_KEY"),
      LITERAL_KEY: "literal-in-the-config",
      SERVERS: $("TALARIA_SECRET"),
    };
    const own = "GIVEN_KEY=given-by-template\nUNNAMED_KEY=canary-unnamed\n";
    await writeProfile("careful", { s: fixture("one", "", { env }) }, own);
    const run = await start("careful", prompt("mcp_s_who"));
    const follower = d.follow(run.id);
    await within("the run ends", follower.ended);
    const inside = JSON.parse(await readFile(seen, "utf8")) as Record<string, string>;
    expect(inside).toMatchObject({
      GIVEN: "given-by-template",
      LITERAL_KEY: "literal-in-the-config",
      SERVERS: "",
    });
    expect(inside).toMatchObject({ TALARIA_PROFILE: "careful", HERMES_HOME: homeOf("careful") });
    expect(JSON.stringify(inside)).not.toContain("canary");
    // What the server knows is not shown when it tells it.
    const [told] = await results(run);
    expect(told).toContain('"GIVEN":"[redacted]"');
    const everything = JSON.stringify([await d.messages(run.session_id), follower.frames]) + worker.output();
    for (const secret of ["given-by-template", "literal-in-the-config", "canary"])
      expect(everything).not.toContain(secret);
  });

  test("servers that die, hang or are malformed cost the run their tools and a warning, not more", async () => {
    await writeProfile("unlucky", {
      crashed: fixture("bad", "crash"),
      hanging: fixture("bad", "silent", { connect_timeout: 1 }),
      malformed: { command: ["canary"] },
      good: fixture("good"),
    });
    const run = await start("unlucky", prompt("mcp_good_echo", { text: "still here" }));
    const follower = d.follow(run.id);
    expect((await ended(run)).status).toBe("completed");
    await follower.ended;
    const warnings = follower.frames.filter(({ event }) => event === "warning").map(({ data }) => data);
    expect(warnings.map(({ type }) => type)).toEqual(Array(3).fill("tools_unavailable"));
    expect(warnings.map(({ message }) => message)).toEqual([
      "config.yaml: mcp_servers.malformed: command cannot be understood; the server is left out.",
      'The MCP server "crashed" is not available to this run: its process ended (exit code 1).',
      'The MCP server "hanging" is not available to this run: it did not answer within 1 s.',
    ]);
    expect(await results(run)).toEqual(["still here"]);
    expect(worker.output()).not.toContain("canary");
  });

  test("an edit of the configuration is a new process for the next run; the running one keeps its own", async () => {
    const log = join(d.home, "edited");
    await writeProfile("edited", { s: fixture("before") });
    const first = await pidOf("edited", "s");
    expect(await pidOf("edited", "s")).toBe(first);
    const run = await start("edited", prompt("mcp_s_mark", { file: log }));
    await eventually("the call began", async () => (await lines(log)).length > 0);
    await writeProfile("edited", { s: fixture("after") });
    const second = await pidOf("edited", "s");
    expect(second).not.toBe(first);
    expect(isAlive(first)).toBe(true);
    await writeFile(`${log}.go`, "");
    expect((await ended(run)).status).toBe("completed");
    expect(await results(run)).toEqual(["marked"]);
    await eventually("the old one ended", () => !isAlive(first));
    expect(isAlive(second)).toBe(true);
  });

  test("a cancel during a call reaches the server, and the run ends at once", async () => {
    const log = join(d.home, "cancelled");
    await writeProfile("stopped", { s: fixture("one") });
    const run = await start("stopped", prompt("mcp_s_wait", { file: log }));
    await eventually("the call began", async () => (await lines(log)).includes("started"));
    await d.request("POST", `/api/runs/${run.id}/cancel`);
    expect((await ended(run)).status).toBe("cancelled");
    await eventually("the server knows", async () => (await lines(log)).includes("cancelled"));
  });

  test("a deleted profile's server ends", async () => {
    await writeProfile("deleted", { s: fixture("one") });
    const pid = await pidOf("deleted", "s");
    expect((await d.request("DELETE", "/api/profiles/deleted")).status).toBe(204);
    await eventually("it ended", () => !isAlive(pid));
  });

  test("a worker that stops takes its servers and all their children with it", async () => {
    await writeProfile("parent", { s: fixture("one", "stubborn") });
    const mine = await pidOf("parent", "s");
    const [child] = await calls("parent", prompt("mcp_s_spawn"));
    expect([mine, Number(child)].every(isAlive)).toBe(true);
    expect(await worker.stop()).toBe(0);
    for (const pid of [mine, Number(child)]) await eventually("it ended", () => !isAlive(pid));
    worker = await d.startWorker(SERVER);
  });

  test.each([
    ["mark", false, 1],
    ["mark_hinted", false, 1],
    ["mark_hinted", true, 2],
  ])("a worker that dies in a call of %s (trust_hints: %s): it ran %s times", async (tool, trust, times) => {
    const name = `killed-${tool}-${trust}`.replaceAll("_", "-");
    const log = join(d.home, name);
    await writeProfile(name, { s: fixture("one", "", { trust_hints: trust }) });
    const before = await pidOf(name, "s");
    const run = await start(name, prompt(`mcp_s_${tool}`, { file: log }));
    await eventually("the call began", async () => (await lines(log)).length > 0);
    await worker.kill();
    await eventually("its server died with it", () => !isAlive(before));
    await writeFile(`${log}.go`, "");
    worker = await d.startWorker(SERVER);
    const done = await ended(run);
    expect([done.status, done.attempt]).toEqual(["completed", 2]);
    expect(await lines(log)).toHaveLength(times);
    expect(await results(run)).toEqual([
      times === 2 ? "marked" : expect.stringContaining("The outcome of this call is unknown"),
    ]);
  });
});
