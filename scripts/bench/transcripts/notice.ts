import { setTimeout as delay } from "node:timers/promises";
import Database from "better-sqlite3";
import { LOG_START } from "../../../api/sse/port.ts";
import type { BenchContext, Measure } from "../harness/bench.ts";
import { monotonicUs, seededRandom } from "../harness/numbers.ts";
import type { BenchProcess } from "../harness/processes.ts";
import type { Room } from "../harness/room.ts";
import { type Times, timed } from "../harness/timing.ts";
import type { BenchSession } from "./session.ts";

const ROUNDS = 30;
/** Longer than the mirror's time between two looks, so that appends come at any moment between them. */
const PAUSE_MS = 400;

/** From the commit of another process to the entry in the session's log, as a follower gets it. */
export const noticeMeasures = async (
  { processes, dir, options }: BenchContext,
  room: Room,
  session: BenchSession,
  path: string,
  size: string,
): Promise<readonly Measure[]> => {
  const args = [path, session.storeId];
  const other = await processes.startNode("scripts/bench/raw/appender.ts", { name: "appender", dir, args });
  const rounds = options.quick ? 10 : ROUNDS;
  const bare = await watched(path, other, rounds);
  // What the rounds before left to tell.
  await delay(2_000);
  const told = await followed(room, session, other, rounds);
  await other.end();
  return timed(`outside append told, ${size}`, told, "data_version in a loop", bare, 95);
};

const random = seededRandom(7);

const append = async (other: BenchProcess): Promise<number> => {
  await delay(random() * PAUSE_MS);
  const answer = other.hears("appended");
  other.tell({ type: "append" });
  return Number((await answer).at);
};

const followed = async (
  { hub, journal }: Room,
  { id }: BenchSession,
  other: BenchProcess,
  rounds: number,
): Promise<Times> => {
  const leave = new AbortController();
  let heard: (at: number) => void = () => undefined;
  const head = await journal.head(id);
  const over = (async () => {
    for await (const batch of hub.follow(id, head ?? LOG_START, leave.signal))
      if (batch.some(({ event }) => event === "session_changed")) heard(monotonicUs());
  })();
  const times = new Float64Array(rounds);
  for (let round = -2; round < rounds; round++) {
    const told = new Promise<number>((resolve) => {
      heard = resolve;
    });
    const committed = await append(other);
    const at = await told;
    if (round >= 0) times[round] = (at - committed) / 1000;
  }
  leave.abort();
  await over;
  return times.sort();
};

/** The floor: a loop that asks nothing but whether somebody wrote. */
const watched = async (path: string, other: BenchProcess, rounds: number): Promise<Times> => {
  const db = new Database(path, { readonly: true });
  const version = db.prepare("PRAGMA data_version").pluck();
  const times = new Float64Array(rounds);
  for (let round = 0; round < rounds; round++) {
    const before = version.get();
    const committed = append(other);
    let at = monotonicUs();
    while (version.get() === before) {
      await new Promise((resolve) => setImmediate(resolve));
      at = monotonicUs();
    }
    times[round] = Math.max(0, at - (await committed)) / 1000;
  }
  db.close();
  return times.sort();
};
