import { within } from "./bounded-wait.ts";

/**
 * Things to close, in the order they were opened. `close` runs them backwards, each bounded by the deadline, keeps
 * going when one fails, and does nothing the second time.
 */
export class Closers {
  private readonly entries: { readonly name: string; readonly close: () => unknown }[] = [];
  private closing: Promise<readonly string[]> | null = null;

  add(name: string, close: () => unknown): void {
    this.entries.push({ name, close });
  }

  /** Resolves with the names of what failed or did not finish within `deadlineMs` each. */
  close(deadlineMs: number): Promise<readonly string[]> {
    this.closing ??= this.run(deadlineMs);
    return this.closing;
  }

  private async run(deadlineMs: number): Promise<readonly string[]> {
    const failed: string[] = [];
    for (const { name, close } of this.entries.reverse()) {
      try {
        const closed = Promise.resolve(close()).then(() => true);
        if (!(await within(closed, deadlineMs, false))) failed.push(name);
      } catch {
        failed.push(name);
      }
    }
    return failed;
  }
}
