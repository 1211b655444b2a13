import { visibleText } from "../titles/visible-text.ts";
import { isSaid, type SaidMessage } from "./said.ts";

/** Counts the complete rounds of a conversation that is read from its end. */
export interface RoundCounter {
  /** The message before those that were added. */
  add(message: SaidMessage): void;
  readonly rounds: number;
}

/**
 * A round is complete when something was answered to what a person wrote; consecutive messages of a person are one (background-jobs
 * 3.2). Calls of tools, their results and notices count for nothing.
 */
export const createRoundCounter = (): RoundCounter => {
  let rounds = 0;
  let answered = false;
  return {
    add(message) {
      if (!isSaid(message) || visibleText(message.content) === "") return;
      if (message.role === "assistant") answered = true;
      else if (answered) {
        rounds += 1;
        answered = false;
      }
    },
    get rounds() {
      return rounds;
    },
  };
};
