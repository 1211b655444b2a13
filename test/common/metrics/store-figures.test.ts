import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "@jest/globals";
import Database from "better-sqlite3";
import { Registry } from "prom-client";
import { createStoreFigures } from "../../../common/metrics/store-figures.ts";
import { openTalariaDb } from "../../../common/talaria-db/open.ts";

test("transactions, what shares them, and the wait for another process' lock are told of each store", async () => {
  const dir = await mkdtemp(join(tmpdir(), "talaria-figures-"));
  const path = join(dir, "talaria.db");
  const registry = new Registry();
  const db = await openTalariaDb(path, createStoreFigures(registry));
  const other = new Database(path);
  const line = async (start: string): Promise<number> => {
    const found = (await registry.metrics()).split("\n").find((text) => text.startsWith(start));
    return Number(found?.split(" ").at(-1) ?? Number.NaN);
  };
  const writes = 'store="talaria-db-write"';
  try {
    expect(await line(`talaria_store_batch_calls_count{${writes}}`)).toBe(0);
    await db.write.patchSettings({ bot_name: "a" });
    expect(await line(`talaria_store_batch_calls_count{${writes}}`)).toBe(1);
    expect(await line(`talaria_store_lock_wait_seconds_count{${writes}}`)).toBe(1);

    other.exec("BEGIN IMMEDIATE");
    const waiting = [1, 2, 3].map((n) => db.write.patchSettings({ bot_name: `b${n}` }));
    expect(await line(`talaria_store_waiting_calls{${writes}}`)).toBe(3);
    await new Promise((resolve) => setTimeout(resolve, 150));
    other.exec("COMMIT");
    await Promise.all(waiting);
    expect(await line(`talaria_store_waiting_calls{${writes}}`)).toBe(0);
    expect(await line(`talaria_store_lock_wait_seconds_sum{${writes}}`)).toBeGreaterThan(0.01);
    expect(await line(`talaria_store_batch_calls_sum{${writes}}`)).toBe(4);
    expect(await line(`talaria_store_transaction_seconds_sum{${writes}}`)).toBeGreaterThan(0.01);

    const reads = 'store="talaria-db-read"';
    await db.read.getSetting("bot_name");
    expect(await line(`talaria_store_batch_calls_count{${reads}}`)).toBe(1);
    expect(await line(`talaria_store_lock_wait_seconds_count{${reads}}`)).toBe(0);
  } finally {
    other.close();
    await db.close();
    await rm(dir, { recursive: true, force: true });
  }
});
