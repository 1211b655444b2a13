import { describe, expect, test } from "@jest/globals";
import type { Playbook, Played } from "./fixtures/play.ts";
import { runFixture } from "./plain-node.ts";

/**
 * profiles, section 4: every order in which save-and-restore of a process-wide map goes wrong. Each party, looking in every way
 * there is, must see exactly the base without credentials plus its own profile, after every step.
 */
const NEUTRAL = { PATH: process.env.PATH ?? "", SERVER: "1", AWS_REGION: "eu-west-1" };
const BASE = { ...NEUTRAL, OPENAI_API_KEY: "of-the-server", KEY: "of-the-server" };
/** KEY is a credential by its name; D is the default profile, which defines nothing here. */
const PROFILES: Playbook["profiles"] = {
  A: { KEY: "a", ONLY_A: "1", SHARED: "a", SERVER: "a" },
  B: { ONLY_B: "1", SHARED: "b", OTHER: "b" },
  C: { KEY: "c", ONLY_C: "1", SHARED: "c" },
  D: {},
};

const play = (orders: readonly string[], profiles = PROFILES): Promise<Played[]> =>
  runFixture<Played[]>("play", BASE, { profiles, orders: orders.map((order) => order.split(" ")) });

const profileOf = (party: string) => PROFILES[party.slice(0, 1)] ?? {};

/** Everything that P-12 to P-16 promise for an order that assigns nothing. */
const expectIsolated = ({ order, steps, children, before, after, openScopes }: Played): void => {
  expect(before).toEqual(BASE);
  for (const [index, seen] of steps.entries())
    for (const [party, values] of Object.entries(seen)) {
      const own = party === "base" ? BASE : { ...NEUTRAL, ...profileOf(party) };
      expect([order.join(" "), index, party, values]).toEqual([order.join(" "), index, party, own]);
    }
  for (const [party, values] of Object.entries(children))
    expect(values).toEqual({ ...NEUTRAL, ...profileOf(party) });
  expect([order, after, openScopes]).toEqual([order, before, 0]);
};

describe("the orders of the table", () => {
  test("P-12 overlap-two-profiles: all six orders of A and B", async () => {
    const orders = ["A+ A- B+ B-", "A+ B+ A- B-", "A+ B+ B- A-", "B+ B- A+ A-", "B+ A+ B- A-", "B+ A+ A- B-"];
    const played = await play(orders);
    expect(played).toHaveLength(6);
    for (const one of played) expectIsolated(one);
  });

  test.each([
    ["1", "A+ C+ A- C-"],
    ["2", "A+ C+ C- A-"],
    ["3 P-16 same-profile-twice", "A1+ A2+ A1- A2-"],
    ["4", "A+ B+ C+ A- C- B-"],
    ["5", "C+ A+ C- A-"],
    ["6 P-13 default-overlaps-named", "A+ D+ D- A-"],
    ["6, the default run first", "D+ A+ A- D-"],
    ["7", "A+ B+ B- A-"],
    ["8", "A+ C+ A> C> C- A> A-"],
    ["9", "A1+ A2+ A1! A2- D+ D-"],
    ["10", "A+ A! D+ D-"],
    ["1 with crashes", "A+ C+ A! C!"],
  ])("row %s", async (_row, order) => {
    const [played] = await play([order]);
    expect(played?.order.join(" ")).toBe(order);
    if (played !== undefined) expectIsolated(played);
  });

  test("P-14 base-changes-meanwhile: the server's change is there afterwards, also a new credential", async () => {
    const [played] = await play(["A+ B+ =SERVER:new =LATE_TOKEN:t ~AWS_REGION A- B-"]);
    const changed = {
      PATH: NEUTRAL.PATH,
      SERVER: "new",
      OPENAI_API_KEY: "of-the-server",
      KEY: "of-the-server",
    };
    expect(played?.after).toEqual({ ...changed, LATE_TOKEN: "t" });
    expect(played?.steps[4]?.A).toEqual({ PATH: NEUTRAL.PATH, ...PROFILES.A });
    expect(played?.steps[4]?.B).toEqual({ PATH: NEUTRAL.PATH, SERVER: "new", ...PROFILES.B });
  });

  test("what a run assigns or deletes stays in its scope", async () => {
    const [played] = await play(["A+ B+ A=MINE:1 A~SERVER A~SHARED A> B> A- B-"]);
    const { PATH, AWS_REGION } = NEUTRAL;
    expect(played?.children.A).toEqual({ PATH, AWS_REGION, KEY: "a", ONLY_A: "1", MINE: "1" });
    expect(played?.children.B).toEqual({ ...NEUTRAL, ...PROFILES.B });
    expect(played?.after).toEqual(BASE);
  });
});

describe("absence is a value", () => {
  const playWith = (env: Readonly<Record<string, string>>) =>
    runFixture<Played[]>(
      "play",
      { ...NEUTRAL, ...env },
      { profiles: PROFILES, orders: [["B+", "B>", "D+", "D>"]] },
    );

  test("P-15 no-inherited-credential: neither in a named profile nor in the default one, nor in their children", async () => {
    const [played] = await playWith({
      ANTHROPIC_API_KEY: "k",
      CLAUDE_CODE_OAUTH_TOKEN: "t",
      GH_PAT: "p",
      TALARIA_PASSWORD: "p",
      REDIS_URL: "redis://:pass@127.0.0.1:6379",
      SOME_SERVICE: "https://token@service.test/",
      UNTOLD: "f3a9c51e0d24b68a7f3a9c51",
      OTEL_EXPORTER_OTLP_HEADERS: "x-key=k",
      OTEL_EXPORTER_OTLP_ENDPOINT: "http://collector.test",
      OTEL_RESOURCE_ATTRIBUTES: "a=b",
      OPENAI_BASE_URL: "https://models.test/v1",
      MODEL: "a-model-with-a-long-name-20260101",
    });
    const configuration = {
      OPENAI_BASE_URL: "https://models.test/v1",
      MODEL: "a-model-with-a-long-name-20260101",
    };
    expect(played?.children.B).toEqual({ ...NEUTRAL, ...configuration, ...PROFILES.B });
    expect(played?.children.D).toEqual({ ...NEUTRAL, ...configuration });
    expect(played?.steps.at(-1)?.D).toEqual(played?.children.D);
  });

  test("P-24 cloud-identity-not-inherited: keys, profiles, roles, containers, federation, managed identities", async () => {
    const names = [
      "AWS_ACCESS_KEY_ID",
      "AWS_SECRET_ACCESS_KEY",
      "AWS_SESSION_TOKEN",
      "AWS_PROFILE",
      "AWS_DEFAULT_PROFILE",
      "AWS_CONFIG_FILE",
      "AWS_SHARED_CREDENTIALS_FILE",
      "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI",
      "AWS_CONTAINER_CREDENTIALS_FULL_URI",
      "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE",
      "AWS_WEB_IDENTITY_TOKEN_FILE",
      "AWS_ROLE_ARN",
      "AWS_ROLE_SESSION_NAME",
      "AWS_BEARER_TOKEN_BEDROCK",
      "AZURE_CLIENT_ID",
      "AZURE_CLIENT_SECRET",
      "AZURE_CLIENT_CERTIFICATE_PATH",
      "AZURE_TENANT_ID",
      "AZURE_FEDERATED_TOKEN_FILE",
      "AZURE_USERNAME",
      "IDENTITY_ENDPOINT",
      "IDENTITY_HEADER",
      "MSI_ENDPOINT",
      "MSI_SECRET",
      "GOOGLE_APPLICATION_CREDENTIALS",
      "CLOUDSDK_CONFIG",
      "GCE_METADATA_HOST",
    ];
    const configuration = {
      AWS_DEFAULT_REGION: "eu-west-1",
      AWS_ENDPOINT_URL: "https://bedrock.test",
      AZURE_OPENAI_ENDPOINT: "https://azure.test",
      GOOGLE_CLOUD_PROJECT: "a-project-with-a-long-name-1234",
    };
    const identity = Object.fromEntries(names.map((name) => [name, "x"]));
    const [played] = await playWith({ ...identity, ...configuration });
    expect(played?.children.D).toEqual({ ...NEUTRAL, ...configuration });
    expect(played?.children.B).toEqual({ ...NEUTRAL, ...configuration, ...PROFILES.B });
    expect(played?.after).toEqual({ ...NEUTRAL, ...identity, ...configuration });
  });
});
