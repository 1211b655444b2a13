import { expect, test } from "@jest/globals";
import fc from "fast-check";
import type { Redis } from "ioredis";
import type { AppendResult, Journal } from "../../../common/journal/port.ts";
import { readAll, withJournal } from "../../helpers/journal.ts";

/*
 * Random schedules of claims, appends, repeats, zombies, announcements and lost tails against a small model: the journal
 * gives the model's reply and holds the model's entries after every step, and no id ever names two different entries.
 */
const S = "s_1";
const RUNS = ["run_a", "run_b"] as const;
type RunId = (typeof RUNS)[number];

type Step =
  | { readonly do: "claim"; readonly run: RunId }
  /** `skip` -1 repeats the last batch, 0 sends the next one, 1 leaves one out; `zombie` is an older owner. */
  | {
      readonly do: "append";
      readonly zombie: number;
      readonly skip: number;
      readonly count: number;
      readonly final: boolean;
    }
  | {
      readonly do: "announce";
      readonly run: RunId | null;
      readonly key: string;
      /** The generation that the caller knows may be an older one. */
      readonly lag: number;
      readonly count: number;
      readonly final: boolean;
    }
  | { readonly do: "keep" }
  | { readonly do: "lose"; readonly all: boolean };

interface ModelRun {
  gen: number;
  n: number;
  seq: number;
  reply: readonly [number, number];
  closed: boolean;
  said: Record<string, readonly [number, number]>;
}
interface Model {
  gen: number;
  seq: number;
  log: { readonly id: string; readonly run: string | null; readonly runSeq: number; readonly data: string }[];
  runs: Record<string, ModelRun>;
  said: Record<string, readonly [number, number]>;
}

const fresh = (): Model => ({ gen: 0, seq: 0, log: [], runs: {}, said: {} });
const runOf = (model: Model, id: string): ModelRun =>
  (model.runs[id] ??= { gen: 0, n: -1, seq: 0, reply: [0, 0], closed: false, said: {} });
const ok = ([lastSeq, lastRunSeq]: readonly [number, number], duplicate = false): AppendResult => ({
  ...{ status: "ok", duplicate, lastSeq, lastRunSeq, cancelRequested: false },
});
const add = (
  model: Model,
  runId: string | null,
  gen: number,
  data: readonly string[],
): readonly [number, number] => {
  for (const each of data) {
    const runSeq = runId === null ? 0 : ++runOf(model, runId).seq;
    model.log.push({ id: `${++model.seq}-${gen}`, run: runId, runSeq, data: each });
  }
  return [model.seq, runId === null ? 0 : runOf(model, runId).seq];
};

const modelAppend = (
  model: Model,
  w: Owner,
  batch: number,
  data: readonly string[],
  final: boolean,
  minSeq: number,
) => {
  const known = model.runs[w.runId];
  if (w.generation < model.gen) return { status: "stale", generation: model.gen } as const;
  if (known?.gen === w.generation && batch <= known.n) return ok(known.reply, true);
  if (known?.closed) return { status: "closed" } as const;
  if (batch !== 0 && (known?.gen !== w.generation || batch !== known.n + 1))
    return { status: "gap" } as const;
  const run = runOf(model, w.runId);
  model.gen = w.generation;
  if (batch === 0) model.seq = Math.max(model.seq, minSeq);
  run.gen = w.generation;
  run.n = batch;
  run.reply = add(model, w.runId, w.generation, data);
  run.closed = final;
  return ok(run.reply);
};

const modelAnnounce = (
  model: Model,
  runId: RunId | null,
  gen: number,
  key: string,
  data: readonly string[],
  final: boolean,
  minSeq: number,
) => {
  const said = (runId === null ? model.said : model.runs[runId]?.said) ?? {};
  if (said[key] !== undefined) return ok(said[key], true);
  if (runId !== null && model.runs[runId]?.closed) return { status: "closed" } as const;
  model.gen = Math.max(model.gen, gen);
  if (model.seq < minSeq) model.seq = minSeq + 1_000_000;
  const reply = add(model, runId, model.gen, data);
  if (runId === null) model.said[key] = reply;
  else {
    runOf(model, runId).said[key] = reply;
    runOf(model, runId).closed = final;
  }
  return ok(reply);
};

interface Owner {
  readonly sessionId: string;
  readonly runId: RunId;
  readonly generation: number;
  readonly attempt: number;
}

const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 2, arbitrary: fc.record({ do: fc.constant("claim" as const), run: fc.constantFrom(...RUNS) }) },
  {
    weight: 8,
    arbitrary: fc.record({
      do: fc.constant("append" as const),
      zombie: fc.constantFrom(0, 0, 0, 0, 1, 2),
      skip: fc.constantFrom(0, 0, 0, 0, -1, 1),
      count: fc.nat(3),
      final: fc.constantFrom(false, false, false, false, true),
    }),
  },
  {
    weight: 3,
    arbitrary: fc.record({
      do: fc.constant("announce" as const),
      run: fc.constantFrom(...RUNS, null),
      key: fc.constantFrom("x", "y", "z"),
      lag: fc.constantFrom(0, 0, 1, 2),
      count: fc.integer({ min: 1, max: 2 }),
      final: fc.constantFrom(false, false, true),
    }),
  },
  { weight: 1, arbitrary: fc.constant({ do: "keep" as const }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant("lose" as const), all: fc.boolean() }) },
);

/** Plays a schedule on both, comparing after each step. */
const play = async (
  bench: { journal: Journal; redis: Redis; empty: () => Promise<void>; prefix: string },
  schedule: readonly Step[],
): Promise<void> => {
  const { journal, redis, empty, prefix } = bench;
  await empty();
  let model = fresh();
  let kept: { readonly model: Model; readonly keys: readonly (readonly [string, Buffer | null])[] } = {
    model: fresh(),
    keys: [],
  };
  const owners: (Owner & { last: number })[] = [];
  const entries = new Map<string, string>();
  // What the database has: its counter of generations, and the highest number anybody was told.
  let generation = 0;
  let seen = 0;
  let texts = 0;
  const payload = (count: number): string[] => Array.from({ length: count }, () => `{"text":"${++texts}"}`);
  const claim = async (runId: RunId): Promise<void> => {
    const owner = { sessionId: S, runId, generation: ++generation, attempt: generation };
    owners.unshift({ ...owner, last: 0 });
    expect(await journal.claim(owner, seen)).toEqual(modelAppend(model, owner, 0, [], false, seen));
  };

  for (const now of schedule) {
    if (now.do === "claim") await claim(now.run);
    else if (now.do === "append") {
      const owner = owners[now.zombie];
      if (owner === undefined) continue;
      const batch = owner.last + 1 + now.skip;
      const data = payload(now.count);
      const result = await journal.append(
        owner,
        batch,
        data.map((text) => ({ event: "token", data: text })),
        now.final,
      );
      expect(result).toEqual(modelAppend(model, owner, batch, data, now.final, 0));
      if (result.status === "ok") owner.last = Math.max(owner.last, batch);
    } else if (now.do === "announce") {
      const data = payload(now.count);
      const known = Math.max(0, generation - now.lag);
      const target = { sessionId: S, runId: now.run, generation: known, attempt: 0, minSeq: seen };
      const said = data.map((text) => ({ event: "token", data: text }));
      const final = now.final && now.run !== null;
      expect(await journal.announce(target, now.key, said, final)).toEqual(
        modelAnnounce(model, now.run, known, now.key, data, final, seen),
      );
    } else if (now.do === "keep") {
      const keys = await redis.keys(`${prefix}:*`);
      const dumps = await Promise.all(keys.map(async (key) => [key, await redis.dumpBuffer(key)] as const));
      kept = { model: structuredClone(model), keys: dumps };
    } else {
      const loss = now.all ? { model: fresh(), keys: [] } : kept;
      await empty();
      for (const [key, dump] of loss.keys) if (dump !== null) await redis.restore(key, 0, dump);
      model = structuredClone(loss.model);
      if (now.all) kept = { model: fresh(), keys: [] };
      // "raised whenever Redis is found to have lost entries" (DESIGN 5)
      const owner = owners[0];
      if (owner !== undefined) await claim(owner.runId);
    }
    seen = Math.max(seen, model.seq);
    const all = await readAll(journal, S);
    expect(
      all.map((e) => ({ id: `${e.seq}-${e.generation}`, run: e.runId, runSeq: e.runSeq, data: e.data })),
    ).toEqual(model.log);
    for (const { id, data } of model.log) {
      expect(entries.get(id) ?? data).toBe(data);
      entries.set(id, data);
    }
    for (const runId of RUNS) {
      const own = all.filter((entry) => entry.runId === runId);
      expect(own.map(({ runSeq }) => runSeq)).toEqual(own.map((_, index) => index + 1));
      expect(await journal.runRange(S, runId, 0, 1_000)).toEqual(own);
      expect((await journal.span(S, runId))?.closed ?? false).toBe(
        own.length > 0 && (model.runs[runId]?.closed ?? false),
      );
    }
  }
};

test(
  "random schedules: the journal does what the model says, and no id names two entries",
  () =>
    withJournal(async ({ journal, redis, empty, keys }) => {
      await fc.assert(
        fc.asyncProperty(fc.array(step, { minLength: 5, maxLength: 40 }), (schedule) =>
          play({ journal, redis, empty, prefix: keys.prefix }, schedule),
        ),
        { numRuns: 120 },
      );
    }),
  60_000,
);
