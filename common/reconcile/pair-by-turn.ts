import { looseText } from "./content.ts";
import { isDisplayable } from "./display.ts";
import type { Facts } from "./facts.ts";
import type { Pairs } from "./pairs.ts";
import { turnsOf } from "./turns.ts";

/** Shorter texts prove nothing by being contained in another, unless the local row is a streamed fragment (R12). */
const MIN_CONTAINED = 24;
/** Above this many candidate pairs in one turn only equal texts are paired (section f). */
const MAX_PAIRS = 2_000;

/** Phase 6: answers of one turn whose texts are loosely equal, or one contains the other (R12). */
export const pairByTurn = (pairs: Pairs): void => {
  const locals = freeAnswersByPrompt(pairs);
  for (const [prompt, stores] of freeStoreAnswers(pairs)) {
    const answers = locals.get(prompt);
    if (answers === undefined) continue;
    pairEqual(pairs, answers, stores);
    if (answers.length * stores.length <= MAX_PAIRS) pairContained(pairs, answers, stores);
  }
};

interface Answer {
  readonly position: number;
  readonly loose: string;
  readonly partial: boolean;
}

const isAnswer = (row: Facts): boolean => row.role === "assistant" && row.calls === "";

const answerOf = (row: Facts, position: number): Answer => ({
  position,
  loose: looseText(row.text),
  partial: row.row._partial === true,
});

/** Free local answers under the position of their prompt. */
const freeAnswersByPrompt = (pairs: Pairs): Map<number, Answer[]> => {
  const byPrompt = new Map<number, Answer[]>();
  for (const { prompt, start, end } of turnsOf(pairs.locals)) {
    if (prompt === null || pairs.storeOf(prompt) === null) continue;
    const answers: Answer[] = [];
    for (let position = start; position < end; position++) {
      const row = pairs.locals[position];
      if (row !== undefined && isAnswer(row) && pairs.storeOf(position) === null)
        answers.push(answerOf(row, position));
    }
    if (answers.length > 0) byPrompt.set(prompt, answers);
  }
  return byPrompt;
};

/** Free answers of the store under the local position of the prompt they follow. */
const freeStoreAnswers = (pairs: Pairs): Map<number, Answer[]> => {
  const byPrompt = new Map<number, Answer[]>();
  let prompt: number | null = null;
  pairs.stores.forEach((row, position) => {
    if (!isDisplayable(row)) return;
    if (row.role === "user") prompt = pairs.localOf(position);
    else if (prompt !== null && isAnswer(row) && pairs.localOf(position) === null) {
      const list = byPrompt.get(prompt);
      if (list === undefined) byPrompt.set(prompt, [answerOf(row, position)]);
      else list.push(answerOf(row, position));
    }
  });
  return byPrompt;
};

const pairEqual = (pairs: Pairs, locals: readonly Answer[], stores: readonly Answer[]): void => {
  const byText = new Map<string, Answer[]>();
  for (const local of [...locals].reverse()) {
    const list = byText.get(local.loose);
    if (list === undefined) byText.set(local.loose, [local]);
    else list.push(local);
  }
  for (const store of stores) {
    const list = byText.get(store.loose) ?? [];
    const index = list.findLastIndex((local) => pairs.join(local.position, store.position));
    if (index >= 0) list.splice(index, 1);
  }
};

const pairContained = (pairs: Pairs, locals: readonly Answer[], stores: readonly Answer[]): void => {
  for (const store of stores)
    if (pairs.localOf(store.position) === null)
      locals.find((local) => isContained(local, store) && pairs.join(local.position, store.position));
};

const isContained = (local: Answer, store: Answer): boolean => {
  const shorter = Math.min(local.loose.length, store.loose.length);
  if (shorter < MIN_CONTAINED && !local.partial) return false;
  return local.loose.includes(store.loose) || store.loose.includes(local.loose);
};
