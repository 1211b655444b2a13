import { mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { beforeEach, expect, test } from "@jest/globals";
import type Database from "better-sqlite3";
import { createUpdateOps } from "../../../common/jobs/update-ops.ts";
import { migrate } from "../../../common/sqlite/migrate.ts";
import { openDatabase } from "../../../common/sqlite/open.ts";

const MIGRATIONS = new URL("../../../common/talaria-db/migrations/", import.meta.url);
const GOOD = { generated_by: "llm", notice: ["One."], worth: [] } as const;
const POOR = { generated_by: "fallback", notice: ["one"], worth: [] } as const;
let at: number;
let db: Database.Database;
let ops: ReturnType<typeof createUpdateOps>;

beforeEach(() => {
  at = 1_000;
  db = openDatabase(join(mkdtempSync(join(tmpdir(), "talaria-updates-")), "talaria.db"));
  migrate(db, MIGRATIONS);
  ops = createUpdateOps(db, () => at);
});

const ask = (cacheKey = "k", profile = "default") => ops.askUpdateSummary({ profile, cacheKey, targets: [] });

test("B-31 summary-retry-after-failure: a text without a model is kept for five minutes, then tried again; a good one stays", () => {
  const first = ask();
  expect(first).toMatchObject({ summary: { state: "queued", cached: false }, work: { attempt: 0 } });
  expect(ops.claimUpdateSummary(first.summary.id, "work")).toBeNull();
  expect(ops.claimUpdateSummary(first.summary.id, "default")?.attempt).toBe(1);
  expect(ops.endUpdateSummary(first.summary.id, 1, POOR, "timeout")).toBe(true);
  at += 299;
  expect(ask()).toMatchObject({
    summary: { generated_by: "fallback", cached: true, reason: "timeout" },
    work: null,
  });
  at += 301;
  expect(ask()).toMatchObject({ summary: { state: "queued", cached: false, generated_by: null } });
  ops.claimUpdateSummary(first.summary.id, "default");
  ops.endUpdateSummary(first.summary.id, 1, GOOD, null);
  at += 1_000_000;
  expect(ask()).toMatchObject({
    summary: { generated_by: "llm", cached: true, notice: ["One."] },
    work: null,
  });
});

test("an older attempt, and whoever comes second, changes nothing (B-2); three that died end it", () => {
  const { id } = ask().summary;
  ops.claimUpdateSummary(id, "default");
  ops.claimUpdateSummary(id, "default");
  expect(ops.endUpdateSummary(id, 1, POOR, null)).toBe(false);
  expect(ops.endUpdateSummary(id, 2, GOOD, null)).toBe(true);
  expect(ops.endUpdateSummary(id, 2, POOR, null)).toBe(false);
  expect(ops.claimUpdateSummary(id, "default")).toBeNull();
  const other = ask("other").summary.id;
  for (let n = 0; n < 3; n++) ops.claimUpdateSummary(other, "default");
  expect(ops.claimUpdateSummary(other, "default")).toBeNull();
  expect(ask("other").summary).toMatchObject({ state: "failed", reason: "worker_crashed" });
});

test("sixteen are kept, the least recently used goes first; each profile has its own", () => {
  for (let n = 0; n < 16; n++, at++) ask(`k${n}`);
  ask("k0");
  at++;
  ask("k0", "work");
  const kept = db.prepare<[], string>("select id from update_summaries order by id").pluck().all();
  expect(kept).toHaveLength(16);
  expect(kept).not.toContain("updsum-default-k1");
  expect(kept).toEqual(expect.arrayContaining(["updsum-default-k0", "updsum-work-k0"]));
});
