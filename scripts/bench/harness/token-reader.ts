import { isTerminalEvent } from "../../../common/contracts/events.ts";
import { eventOf, textOf } from "./event-client.ts";
import { monotonicUs } from "./numbers.ts";

/**
 * Reads the stamped tokens (`@<number>:<microseconds> word `) of one stream, however they were cut into frames, and checks
 * that each arrives once and in order: a fast stream that loses text measures nothing.
 */
export class TokenReader {
  /** Tokens read so far; begins again with every restart. */
  count = 0;
  /** Whether there has been any token. */
  spoken = false;
  /** How often the server took back what it had shown (`step_reset`, `reset`): another attempt had to take over. */
  restarts = 0;
  /** Name of the terminal event; null while there was none (the raw streams have none). */
  ending: string | null = null;
  private readonly onToken: (stampUs: number, nowUs: number) => void;
  private text = "";

  constructor(onToken: (stampUs: number, nowUs: number) => void) {
    this.onToken = onToken;
  }

  /** Takes any frame; those that carry no text pass by. */
  read(frame: string): void {
    const event = eventOf(frame);
    if (event === "step_reset" || event === "reset") {
      this.restarts++;
      this.count = 0;
      this.text = "";
    }
    if (isTerminalEvent(event)) this.ending = event;
    if (event !== "token") return;
    const nowUs = monotonicUs();
    this.text += textOf(frame);
    for (;;) {
      const colon = this.text.indexOf(":");
      const blank = this.text.indexOf(" ", colon);
      const end = this.text.indexOf(" ", blank + 1);
      if (colon < 0 || blank < 0 || end < 0) return;
      const number = Number(this.text.slice(1, colon));
      if (number !== this.count || this.text[0] !== "@")
        throw new Error(`expected token ${this.count}, got "${this.text.slice(0, 40)}"`);
      this.onToken(Number(this.text.slice(colon + 1, blank)), nowUs);
      this.count++;
      this.spoken = true;
      this.text = this.text.slice(end + 1);
    }
  }
}
