import { expect, test } from "@jest/globals";
import type { ProfileEnvStatistics } from "../../../workers/environment/profile-env.ts";
import { runFixture } from "./plain-node.ts";

const BASE = { PATH: process.env.PATH ?? "", SERVER: "1", OPENAI_API_KEY: "of-the-server" };

test("P-14 any-order-restore: 2,000 random orders of up to 6 scopes of 4 profiles", async () => {
  const result = await runFixture<{ deviations: string[]; looks: number; overlapping: number }>(
    "random-orders",
    BASE,
    { orders: 2_000, seed: 20_260_515 },
  );
  expect(result.deviations).toEqual([]);
  // It did overlap, and it did look.
  expect(result.overlapping).toBeGreaterThan(2_000);
  expect(result.looks).toBeGreaterThan(5_000);
});

interface Jobs {
  readonly wrong: readonly string[];
  readonly wrongReads: number;
  readonly reads: number;
  readonly ends: Readonly<Record<string, number>>;
  readonly seconds: number;
  readonly mostOpen: number;
  readonly longestChatStartMs: number;
  readonly restored: boolean;
  readonly statistics: ProfileEnvStatistics;
}

const play = (task: Readonly<Record<string, unknown>>): Promise<Jobs> =>
  runFixture<Jobs>("jobs", BASE, { seed: 4, ...task });

/** P-8, as far as a machine that does other things as well can tell: a hold is never more than a few statements. */
const expectNarrow = ({ holds, scopes, openScopes, p50Us, p99Us }: ProfileEnvStatistics): void => {
  expect(holds).toBe(2 * scopes);
  expect(openScopes).toBe(0);
  expect(p50Us).toBeLessThan(500);
  expect(p99Us).toBeLessThan(5_000);
};

test("P-17 many-jobs-many-profiles: 300 jobs, 10 profiles, 40 at once, with throws, timeouts and cancels", async () => {
  const result = await play({ jobs: 300, profiles: 10, concurrency: 40, workMs: [1, 60], faults: true });
  expect(result.wrong).toEqual([]);
  expect(result.wrongReads).toBe(0);
  expect(Object.keys(result.ends).sort()).toEqual(["ends", "is cancelled", "throws", "times out"]);
  expect(Object.values(result.ends).reduce((sum, n) => sum + n, 0)).toBe(300);
  expect(result.reads).toBeGreaterThan(900);
  expect(result.mostOpen).toBeGreaterThanOrEqual(40);
  expect(result.restored).toBe(true);
  expectNarrow(result.statistics);
});

test("P-8 lock-hold-time: 200 jobs of 2 s, 50 at once; nobody waits for anybody", async () => {
  const result = await play({
    jobs: 200,
    profiles: 5,
    concurrency: 50,
    workMs: [2_000, 2_000],
    faults: false,
  });
  expect(result.wrongReads).toBe(0);
  expect(result.mostOpen).toBeGreaterThanOrEqual(50);
  // Four rounds of two seconds; were the lock held while working it would be 400.
  expect(result.seconds).toBeGreaterThan(7.9);
  expect(result.seconds).toBeLessThan(16);
  expect(result.longestChatStartMs).toBeLessThan(200);
  expectNarrow(result.statistics);
});

test("P-11 throw-between-set-and-work: whatever throws, the environment is the base again", async () => {
  const results = await runFixture<
    { name: string; outcome: string; openScopes: number; restored: boolean }[]
  >("throws", BASE);
  expect(results.length).toBeGreaterThan(10);
  expect(results.filter(({ openScopes, restored }) => openScopes !== 0 || !restored)).toEqual([]);
  const worked = results.filter(({ outcome }) => outcome === "worked").map(({ name }) => name);
  expect(worked).toEqual(["nothing fails"]);
});

test("P-20 child-env-is-own: two children at the same moment have their own values, ids and no secret of the server", async () => {
  interface Child {
    readonly built: Readonly<Record<string, string>>;
    readonly inherited: Readonly<Record<string, string>>;
  }
  const children = await runFixture<Record<"a" | "b", Child>>("children", BASE);
  for (const name of ["a", "b"] as const) {
    const own = {
      PATH: BASE.PATH,
      KEY: `key-of-${name}`,
      [`ONLY_${name}`]: "1",
      AWS_EC2_METADATA_DISABLED: "true",
      METADATA_SERVER_DETECTION: "none",
      NO_GCE_CHECK: "true",
      TALARIA_PROFILE: name,
      TALARIA_SESSION_ID: `session-${name}`,
      TALARIA_RUN_ID: `run-${name}`,
      HERMES_HOME: `/homes/${name}`,
      HERMES_SESSION_ID: `session-${name}`,
    };
    expect(children[name].built).toEqual(own);
    // Also where a library forgot to say which environment its child gets.
    expect(children[name].inherited).toEqual({ ...own, SERVER: "1" });
  }
});

test("process.env behaves like process.env for libraries that use it in unusual ways", async () => {
  expect(await runFixture<Record<string, unknown>>("semantics", BASE)).toEqual({
    // Node would have stored the text "undefined".
    undefinedOutside: false,
    undefinedInside: [false, null],
    installedTwice: "Error",
    importedName: "a",
    importedModule: "a",
    importedAfterUninstall: true,
    inspected: true,
    empty: ["", true],
    coerced: ["1", "true"],
    defined: "d",
    accessor: "TypeError",
    frozen: "TypeError",
    symbol: "TypeError",
    prototype: "TypeError",
    inherited: ["function", true, false],
    child: "d--1\n",
    uninstalledInScope: "Error",
    nestedInside: ["inner", null],
    nestedAfter: ["outer", "1"],
    // Code that a run left behind keeps seeing its own profile, and never the server or the next run.
    leftover: ["left", null],
    leftoverWrote: false,
    // P-9 nested-acquire-refused
    nestedLock: { try: false, hold: "LockHeldError", scope: "LockHeldError", ran: false },
    lockFreeAgain: { value: "free" },
    openScopes: 0,
    after: BASE,
  });
});
