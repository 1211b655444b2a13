import { isDeepStrictEqual } from "node:util";
import { expect, test } from "@jest/globals";
import * as fc from "fast-check";
import { identitiesOf } from "../../../common/reconcile/identity.ts";
import { merge, mergeWithOrigins } from "../../../common/reconcile/merge.ts";
import type { Row } from "../../../common/reconcile/row.ts";
import { anyRows, conversation, distinctConversation } from "./conversations.ts";
import { answer, user } from "./rows.ts";

const RUNS = { numRuns: 150 };

/** True if `part` occurs in `whole` in this order. */
const isWithin = (part: readonly unknown[], whole: readonly unknown[]): boolean => {
  let at = 0;
  for (const row of whole) if (at < part.length && isDeepStrictEqual(part[at], row)) at++;
  return at === part.length;
};

const later = (store: readonly Row[], seconds: number): Row[] =>
  store.map((row) => ({ ...row, timestamp: Number(row.timestamp) + seconds }));

test("every local row is there, in its order (P1, R1)", () => {
  fc.assert(
    fc.property(anyRows, anyRows, (sidecar, store) => {
      const indexes = mergeWithOrigins(sidecar, store).flatMap((row) => row.sidecar ?? []);
      expect(indexes).toEqual(sidecar.map((_, index) => index));
    }),
    RUNS,
  );
});

test("merging the result again changes nothing (P2)", () => {
  fc.assert(
    fc.property(conversation, ({ sidecar, store }) => {
      const once = merge(sidecar, store);
      expect(merge(once, store)).toEqual(once);
    }),
    RUNS,
  );
});

test("merging in two steps equals merging once, at every step (P3)", () => {
  fc.assert(
    fc.property(distinctConversation, fc.nat(40), ({ sidecar, store }, k) => {
      const part = merge(sidecar, store.slice(0, k));
      expect(merge(part, store)).toEqual(merge(sidecar, store));
    }),
    RUNS,
  );
});

test("more store rows never remove a row (P6)", () => {
  fc.assert(
    fc.property(distinctConversation, fc.nat(40), ({ sidecar, store }, k) => {
      expect(isWithin(merge(sidecar, store.slice(0, k)), merge(sidecar, store))).toBe(true);
    }),
    RUNS,
  );
});

test("every row of the store is there, paired or inserted (P4)", () => {
  fc.assert(
    fc.property(conversation, ({ sidecar, store }) => {
      const found = mergeWithOrigins(sidecar, store).flatMap((row) => row.store ?? []);
      expect([...found].sort((a, b) => a - b)).toEqual(store.map((_, index) => index));
    }),
    RUNS,
  );
});

test("inserted rows keep the order of the store (P5)", () => {
  fc.assert(
    fc.property(anyRows, anyRows, (sidecar, store) => {
      const added = mergeWithOrigins(sidecar, store)
        .filter((row) => row.sidecar === null)
        .map((row) => row.store);
      expect(added).toEqual([...added].sort((a, b) => Number(a) - Number(b)));
    }),
    RUNS,
  );
});

test("results directly follow their call (P7)", () => {
  fc.assert(
    fc.property(conversation, ({ sidecar, store }) => {
      let open: readonly unknown[] = [];
      for (const row of merge(sidecar, store)) {
        if (row.role === "tool") expect(open).toContain(row.tool_call_id);
        else open = Array.isArray(row.tool_calls) ? row.tool_calls.map(({ id }) => id) : [];
      }
    }),
    RUNS,
  );
});

test("an empty store leaves the sidecar, an empty sidecar shows the store (P9)", () => {
  fc.assert(
    fc.property(anyRows, conversation, (sidecar, { store }) => {
      expect(merge(sidecar, [])).toEqual(sidecar);
      expect(merge([], store)).toEqual(store);
    }),
    RUNS,
  );
});

test("where all local rows are bound, no clock decides anything (P10)", () => {
  fc.assert(
    fc.property(
      conversation,
      fc.integer({ min: -1_000_000, max: 1_000_000 }),
      fc.nat(40),
      ({ store }, shift, k) => {
        const bound = store.map((row, index) => ({ ...row, _state_db_row_id: index + 1 }));
        const sidecar = bound.slice(0, k);
        fc.pre(sidecar.length > 0);
        const origins = (rows: readonly Row[]) => mergeWithOrigins(sidecar, rows).map(({ store: at }) => at);
        expect(origins(later(bound, shift))).toEqual(origins(bound));
      },
    ),
    RUNS,
  );
});

test("inputs stay as they are, equal inputs give equal outputs, nothing is shared (P12)", () => {
  fc.assert(
    fc.property(anyRows, anyRows, (sidecar, store) => {
      const before = structuredClone([sidecar, store]);
      const once = merge(sidecar, store);
      const twice = merge(sidecar, store);
      expect([sidecar, store]).toEqual(before);
      expect(twice).toEqual(once);
      for (const row of once)
        for (const value of [row, ...Object.values(row)])
          if (typeof value === "object" && value !== null)
            expect(
              [...sidecar, ...store].some((other) => other === value || Object.values(other).includes(value)),
            ).toBe(false);
    }),
    { numRuns: 100 },
  );
});

test("older settled turns in front of both sides stay in front (P15)", () => {
  fc.assert(
    fc.property(conversation, conversation, ({ sidecar, store }, { store: older }) => {
      const past = later(older, -1_000_000).map((row) =>
        JSON.parse(JSON.stringify(row).replaceAll("call_", "past_")),
      );
      expect(merge([...past, ...sidecar], [...past, ...store])).toEqual([...past, ...merge(sidecar, store)]);
    }),
    RUNS,
  );
});

test("a merge never has more rows than both sides (P16)", () => {
  fc.assert(
    fc.property(anyRows, anyRows, (sidecar, store) => {
      expect(merge(sidecar, store).length).toBeLessThanOrEqual(sidecar.length + store.length);
    }),
    RUNS,
  );
});

test("a rewritten copy under other ids, times and wrappers adds nothing (P16)", () => {
  fc.assert(
    fc.property(conversation, fc.constantFrom(0, 0.9, 1_000_000), ({ store }, shift) => {
      const copy = later(store, shift).map((row, index) => ({ ...row, id: `other-${index}` }));
      const sidecar = store.map((row, index) => ({ ...row, id: `mine-${index}` }));
      expect(merge(sidecar, copy)).toEqual(sidecar);
    }),
    RUNS,
  );
});

const cutAt = (store: readonly Row[], k: number): { kept: Row[]; cutRowId: number; removed: string[] } => {
  const rows = store.map((row, index) => ({ ...row, _state_db_row_id: index + 1 }));
  return { kept: rows.slice(0, k), cutRowId: rows.length, removed: rows.slice(k).flatMap(identitiesOf) };
};

test("what a cut removed stays away, whatever is appended or copied by a compaction (P8, c.7)", () => {
  fc.assert(
    fc.property(conversation, fc.nat(40), ({ store }, at) => {
      const k = Math.min(at, store.length);
      const { kept, cutRowId, removed } = cutAt(store, k);
      const numbered = store.map((row, index) => ({ ...row, _state_db_row_id: index + 1 }));
      const copies = numbered.slice(k).map((row, index) => ({ ...row, _state_db_row_id: 100 + index }));
      const fresh = [
        user("really new", 2e9, { _state_db_row_id: 200 }),
        answer("yes", 2e9, { _state_db_row_id: 201 }),
      ];
      const options = { cuts: [{ keepThroughRowId: k, cutRowId, removed }] };
      const merged = merge(kept, [...numbered, ...copies, ...fresh], options);
      expect(merged).toEqual([...kept, ...fresh]);
      expect(merge(merged, [...numbered, ...copies, ...fresh], options)).toEqual(merged);
    }),
    RUNS,
  );
});

test("what a legacy undo mark removed stays away under rows appended behind it (P8, R20)", () => {
  fc.assert(
    fc.property(conversation, fc.integer({ min: 1, max: 40 }), ({ store }, at) => {
      const kept = store.slice(0, Math.min(at, store.length));
      const mark = Number(kept.at(-1)?.timestamp);
      const options = { truncation_watermark: mark, truncation_boundary: mark };
      expect(merge(kept, [...store, user("later", 2e9)], options)).toEqual(kept);
      const edited = [...kept, user("edited", 1.9e9)];
      const advanced = { truncation_watermark: 1.9e9, truncation_boundary: mark };
      const reply = answer("the new answer", 1.95e9);
      const all = [...store, user("edited", 1.9e9), reply];
      const merged = merge(edited, all, advanced);
      expect(merged).toEqual([...edited, reply]);
      expect(merge(merged, [...all, user("later", 2e9)], advanced)).toEqual([...merged, user("later", 2e9)]);
    }),
    RUNS,
  );
});

test("a clear shows nothing, whatever the store holds (P8, R20, c.7)", () => {
  fc.assert(
    fc.property(anyRows, (store) => {
      const numbered = store.map((row, index) => ({ ...row, _state_db_row_id: index + 1 }));
      expect(merge([], store, { truncation_watermark: 0 })).toEqual([]);
      expect(merge([], numbered, { cuts: [{ keepThroughRowId: 0, cutRowId: store.length }] })).toEqual([]);
    }),
    RUNS,
  );
});

test("a compaction is invisible: copies under new ids and a summary change nothing (c.8)", () => {
  fc.assert(
    fc.property(conversation, fc.nat(40), fc.boolean(), ({ store }, from, named) => {
      const rows = store.map((row, index) => ({
        ...row,
        _state_db_row_id: index + 1,
        ...(named ? { message_uid: `u${index}` } : {}),
      }));
      const summary = user("[CONTEXT COMPACTION] Earlier turns.", 2e9, { _state_db_row_id: 500 });
      const copies = rows.slice(from).map((row, index) => ({ ...row, _state_db_row_id: 501 + index }));
      expect(merge(rows, [...rows, summary, ...copies])).toEqual(rows);
      expect(merge(rows, [...rows.slice(0, from), summary, ...copies])).toEqual(rows);
    }),
    RUNS,
  );
});
