import type { Facts } from "./facts.ts";

/** A local turn: a prompt and what follows it up to the next prompt. Positions in the local list, `end` exclusive. */
export interface Turn {
  /** Position of the prompt; null for rows before the first prompt. */
  readonly prompt: number | null;
  readonly start: number;
  readonly end: number;
}

export const turnsOf = (locals: readonly Facts[]): readonly Turn[] => {
  const turns: Turn[] = [];
  let start = 0;
  const close = (end: number): void => {
    if (end > start) turns.push({ prompt: locals[start]?.role === "user" ? start : null, start, end });
    start = end;
  };
  locals.forEach((row, position) => {
    if (row.role === "user") close(position);
  });
  close(locals.length);
  return turns;
};
