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
      let timer: ReturnType<typeof setTimeout> | undefined;
      const late = new Promise<"late">((resolve) => {
        timer = setTimeout(() => resolve("late"), deadlineMs);
      });
      try {
        if ((await Promise.race([Promise.resolve(close()).then(() => "closed"), late])) === "late")
          failed.push(name);
      } catch {
        failed.push(name);
      } finally {
        clearTimeout(timer);
      }
    }
    return failed;
  }
}
