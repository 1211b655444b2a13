import * as fc from "fast-check";
import type { Row } from "../../../common/reconcile/row.ts";
import { answer, call, result, user } from "./rows.ts";

/** A store transcript and a sidecar that holds part of it, with clocks and wrappers as older products left them. */
export interface Conversation {
  readonly store: readonly Row[];
  readonly sidecar: readonly Row[];
}

const PROMPTS = ["ok", "continue", "why did it fail?", "¿y el invernadero?"];
const ANSWERS = ["Done.", "Working on it.", "The currency table was missing.", "Hecho."];
const START = 1_778_668_800;

const turn = fc.record({
  prompt: fc.constantFrom(...PROMPTS),
  reply: fc.constantFrom(...ANSWERS),
  calls: fc.integer({ min: 0, max: 2 }),
  /** Seconds to the next row; more than two, so that equal texts are told apart by time. */
  pace: fc.integer({ min: 3, max: 90 }),
  wrapped: fc.boolean(),
  local: fc.constantFrom("all", "all", "all", "prompt", "reply", "none"),
  notice: fc.boolean(),
});

type Turn = typeof turn extends fc.Arbitrary<infer T> ? T : never;
type Clock = "exact" | "coarse";

const shape = {
  turns: fc.array(turn, { minLength: 1, maxLength: 8 }),
  clock: fc.constantFrom<Clock>("exact", "coarse"),
  known: fc.integer({ min: 1, max: 8 }),
};

/** Sane input: one writer's clock that runs forward, the sidecar begins with the conversation. */
export const conversation: fc.Arbitrary<Conversation> = fc
  .record(shape)
  .map(({ turns, clock, known }) => build(turns, clock, known));

/**
 * The same, with answers that differ. Where the sidecar lacks an answer and a later one has the same words, the contract
 * contradicts itself: of a part of the store R12 pairs the local one with the earlier, of the whole R6 with the later.
 */
export const distinctConversation: fc.Arbitrary<Conversation> = fc
  .record(shape)
  .map(({ turns, clock, known }) =>
    build(
      turns.map((one, index) => ({ ...one, reply: `${one.reply} (${index})` })),
      clock,
      known,
    ),
  );

const build = (turns: readonly Turn[], clock: Clock, known: number): Conversation => {
  const store: Row[] = [];
  const sidecar: Row[] = [];
  let time = START;
  turns.forEach((one, index) => {
    const rows = rowsOf(one, index, () => {
      time += one.pace;
      return time + 0.25;
    });
    store.push(...rows.map((row, at) => (at === 0 && one.wrapped ? wrap(row) : row)));
    if (index >= known) return;
    sidecar.push(...(index === 0 ? rows : keep(rows, one.local)).map((row) => stamp(row, clock)));
    if (one.notice)
      sidecar.push(answer(`Notice ${index}.`, time + 0.5, { _statusCard: { kind: "note", index } }));
  });
  return { store, sidecar };
};

const rowsOf = ({ prompt, reply, calls }: Turn, index: number, next: () => number): Row[] => {
  const rows: Row[] = [user(prompt, next())];
  if (calls > 0) {
    const ids = Array.from({ length: calls }, (_, i) => `call_${index}_${i}`);
    rows.push(call(ids, next()), ...ids.map((id) => result("{}", next(), id)));
  }
  return [...rows, answer(reply, next())];
};

const keep = (rows: readonly Row[], which: string): readonly Row[] => {
  if (which === "all") return rows;
  if (which === "prompt") return rows.slice(0, 1);
  return which === "reply" ? rows.slice(-1) : [];
};

const wrap = (row: Row): Row => ({ ...row, content: `[Workspace::v1: /srv/app]\n${String(row.content)}` });

const stamp = (row: Row, clock: Clock): Row =>
  clock === "coarse" ? { ...row, timestamp: Math.floor(Number(row.timestamp)) } : { ...row };

/** Any row at all: few texts, few times, ids and flags of every kind, so that everything collides. */
export const anyRow: fc.Arbitrary<Row> = fc
  .record({
    role: fc.constantFrom("user", "assistant", "tool", "system"),
    content: fc.constantFrom<unknown>("ok", "OK", "", null, "a longer text of more than 24 letters", [
      { type: "text", text: "ok" },
    ]),
    timestamp: fc.oneof(fc.integer({ min: 0, max: 12 }), fc.constantFrom<unknown>(null, "3", "soon")),
    flags: fc.constantFrom<Row>({}, {}, {}, { _error: true }, { _partial: true }, { display_kind: "hidden" }),
    ids: fc.constantFrom<Row>({}, {}, { tool_call_id: "c1" }, { tool_call_id: "c2" }),
    calls: fc.constantFrom<Row>({}, {}, { tool_calls: [{ id: "c1" }] }, { tool_calls: '[{"id":"c2"}]' }),
  })
  .map(({ role, content, timestamp, flags, ids, calls }) => ({
    role,
    content,
    timestamp,
    ...flags,
    ...(role === "tool" ? ids : {}),
    ...(role === "assistant" ? calls : {}),
  }));

export const anyRows = fc.array(anyRow, { maxLength: 10 });
