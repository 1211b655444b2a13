import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "@jest/globals";
import Database from "better-sqlite3";
import { describeFile, mutate, python } from "../../common/state-db/read-files.ts";
import { eventually } from "../../helpers/wait.ts";
import { conversationsOf, type Desk, idsOf, newHome, openDesk, told } from "./desk.ts";

/** A generator of its own, so that a failure can be repeated with its seed. */
const numbers = (seed: number): ((below: number) => number) => {
  let state = seed;
  return (below) => {
    state = (Math.imul(state ^ (state >>> 15), 0x2c1b3c6d) + 0x6d2b79f5) | 0;
    const mixed = Math.imul(state ^ (state >>> 12), 0x297a2d39);
    return ((mixed ^ (mixed >>> 15)) >>> 0) % below;
  };
};

const STEPS = 24;
/** With logical ids; without; and as old as conversations that other programs still write to. */
const CASES = [
  [1, "31"],
  [2, "31"],
  [1, "22"],
  [3, "16"],
] as const;

test.each(CASES)(
  "P13: the count of the head is the number of messages of the full read, whatever happens (seed %s, version %s)",
  async (seed, version) => {
    const pick = numbers(seed * 7919 + Number(version));
    const desk = await openDesk(
      newHome("--sessions", "2", "--messages", "14", "--schema-version", version, "--seed", String(seed)),
    );
    const [foreign = ""] = conversationsOf(desk.file);
    await desk.listed(foreign);
    const own = await desk.newSession();
    await desk.turn(own, "first of ours");
    const sessions = [foreign, own];
    const done: string[] = [];
    const tip = (id: string): string => {
      const all = describeFile(desk.file).sessions;
      for (let at = id; ; ) {
        const next = all.find(({ parent }) => parent === at);
        const here = all.find((one) => one.id === at);
        if (next === undefined || here?.end_reason !== "compression") return at;
        at = next.id;
      }
    };
    /** One thing that somebody does; false where it does not apply. */
    const act = async (id: string, what: number): Promise<void> => {
      // A fork is brought into the file a moment later.
      if (what < 7 && !describeFile(desk.file).sessions.some((one) => one.id === id)) return;
      const messages = await desk.messages(id);
      const prompts = messages.filter(({ role }) => role === "user");
      const any = messages[pick(Math.max(1, messages.length))];
      const post = <T>(path: string, body: unknown) =>
        desk.call<T>("POST", `/api/sessions/${id}/${path}`, body);
      const start = async (path: string, body: unknown): Promise<string> => {
        const answer = await post<{ run: { id: string } }>(path, body);
        if (answer.status !== 202) throw new Error(`${path}: ${JSON.stringify(answer.body)}`);
        return answer.body.run.id;
      };
      const note = (text: string): number => done.push(`${id === own ? "own" : "foreign"} ${text}`);
      switch (what) {
        case 0:
        case 1:
          note("append");
          mutate(
            desk.file,
            "--append",
            id,
            String(1 + pick(4)),
            "--follow-tip",
            ...(pick(2) ? ["--now"] : []),
          );
          return;
        case 2:
          note("rewind");
          python(desk.file, "--rewind", tip(id), String(1 + pick(2)));
          return;
        case 3:
          note("compact");
          python(desk.file, "--compact", tip(id), String(pick(6)));
          return;
        case 4:
          note("rotate");
          python(desk.file, "--rotate", tip(id));
          return;
        case 5:
          note("replace");
          python(desk.file, "--replace", tip(id));
          return;
        case 6:
          if (pick(4) > 0) return;
          note("clear by others");
          python(desk.file, "--clear", tip(id));
          return;
        case 7:
          note("undo");
          await post("undo", { turns: 1 + pick(2) });
          return;
        case 8:
          if (any === undefined) return;
          note(`truncate ${any.id}`);
          await post("truncate", { keep_through: any.id });
          return;
        case 9:
          if (pick(4) > 0) return;
          note("clear");
          await post("clear", {});
          return;
        case 10: {
          const prompt = prompts[pick(Math.max(1, prompts.length))];
          if (prompt === undefined) return;
          note(`edit ${prompt.id}`);
          const run = await start("edit", { message_id: prompt.id, input: `edited ${done.length}` });
          await desk.finish(run, `edit answered ${done.length}`);
          return;
        }
        case 11: {
          if (prompts.length === 0) return;
          note("retry");
          const run = await start("retry", {});
          await desk.finish(run, `retried ${done.length}`);
          return;
        }
        case 12: {
          if (sessions.length > 3) return;
          note("fork");
          const { body } = await desk.call<{ session: { id: string } }>(
            "POST",
            `/api/sessions/${id}/fork`,
            any === undefined ? {} : { through: any.id },
          );
          sessions.push(body.session.id);
          return;
        }
        default:
          note("turn");
          await desk.turn(id, `turn ${done.length}`, [
            { role: "assistant", content: `says ${done.length}`, status: "complete" },
            ...(pick(2) ? [{ role: "notice" as const, content: "note", status: "cancelled" as const }] : []),
          ]);
      }
    };
    try {
      for (let step = 0; step < STEPS; step++) {
        const id = sessions[pick(sessions.length)] ?? own;
        await act(id, pick(15));
        for (const one of sessions) await desk.settled(one);
      }
      for (const one of sessions) {
        const all = await desk.messages(one, 200);
        idsOf(all);
        for (const limit of [1, 3]) expect(told(await desk.messages(one, limit))).toEqual(told(all));
        expect((await desk.session(one)).message_count).toBe(all.length);
      }
    } catch (error) {
      throw new Error(`after ${done.join("; ")}: ${error instanceof Error ? error.message : String(error)}`);
    } finally {
      await desk.close();
    }
  },
  120_000,
);

let desk: Desk;
beforeAll(async () => {
  desk = await openDesk(newHome("--sessions", "1", "--messages", "6"));
});
afterAll(() => desk.close());

test("a change that nobody was told of is found by the look round", async () => {
  const desk = await openDesk(newHome("--sessions", "1", "--messages", "14"));
  try {
    const [id = ""] = conversationsOf(desk.file);
    await desk.listed(id);
    const { message_count } = await desk.settled(id);
    // As if the rows had gone while they were counted: the number is of before, and the file says nothing any more.
    const db = new Database(join(desk.api.home, "talaria", "talaria.db"), { timeout: 5_000 });
    const [rewinds, tip, hint] = JSON.parse(
      db.prepare<[string], string>("select store_mark from sessions where id = ?").pluck().get(id) ?? "[]",
    ) as [number, string, number];
    db.prepare(
      "update sessions set store_count = store_count + 5, message_count = message_count + 5, store_mark = ? where id = ?",
    ).run(JSON.stringify([rewinds, tip, hint + 5]), id);
    db.close();
    expect((await desk.head(id)).message_count).toBe(message_count + 5);
    await eventually(
      "it is counted anew",
      async () => (await desk.head(id)).message_count === message_count,
      20_000,
    );
  } finally {
    await desk.close();
  }
});

test("heads of many sessions tell the same as the head of each", async () => {
  const [id = ""] = conversationsOf(desk.file);
  await desk.listed(id);
  const head = await desk.settled(id);
  const { body } = await desk.call<{ data: unknown[] }>("GET", `/api/sessions/heads?ids=${id},nobody`);
  expect(body.data).toEqual([{ session_id: id, ...head }]);
});
