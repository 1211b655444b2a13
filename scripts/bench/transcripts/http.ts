import type Database from "better-sqlite3";
import type { BenchContext, Measure } from "../harness/bench.ts";
import { createHttpClient } from "../harness/http.ts";
import { startStack } from "../harness/stack.ts";
import { timed, timesOf, until } from "../harness/timing.ts";
import type { BenchSession } from "./session.ts";

const ROUNDS = 200;

/** The same over HTTP, from an api process of its own, beside the least that it can answer. */
export const httpMeasures = async (
  context: BenchContext,
  raw: Database.Database,
  { id }: BenchSession,
  size: string,
): Promise<readonly Measure[]> => {
  const stack = await startStack(context, { model: null });
  const http = createHttpClient(stack.url);
  const base = `/api/sessions/${id}`;
  const least = await timesOf(ROUNDS, () => http.get("/healthz"));
  const page = await timesOf(ROUNDS, () => http.get(`${base}/messages?limit=50`));
  // After a cut the long session is counted anew: until then its head changes.
  await until(async () => JSON.parse((await http.get(`${base}/head`)).body).stale === false);
  const tag = (await http.get(`${base}/head`)).headers.etag ?? "";
  const poll = await timesOf(ROUNDS, async () => {
    const { status } = await http.get(`${base}/head`, { "if-none-match": tag });
    if (status !== 304) throw new Error(`a poll without news answered ${status}`);
  });
  const sessions = Number(raw.prepare("SELECT COUNT(*) FROM sessions").pluck().get());
  const list = await timesOf(ROUNDS, () => http.get("/api/sessions?limit=200"));
  http.close();
  await stack.end();
  return [
    ...timed(`HTTP page, ${size}`, page, "GET /healthz", least),
    ...timed(`HTTP poll (304), ${size}`, poll, "GET /healthz", least),
    ...(sessions > 100 ? timed(`HTTP list of 200, ${size}`, list, "GET /healthz", least) : []),
  ];
};
