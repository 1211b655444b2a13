import { Counter, Histogram, type Registry } from "prom-client";
import type { AppendResult, Journal, NewEntry } from "../journal/port.ts";

const BUCKETS_S = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5];
const REASONS = ["stale", "closed", "gap", "full", "unavailable"] as const;

/** The same journal, counted: what is appended and how fast, what it refuses, how long reading takes. */
export const countJournal = (journal: Journal, registry: Registry): Journal => {
  const registers = [registry];
  const appends = new Histogram({
    name: "talaria_journal_append_seconds",
    help: "Time of appends to the journal, claims left out",
    buckets: BUCKETS_S,
    registers,
  });
  const events = new Counter({
    name: "talaria_journal_events_total",
    help: "Events appended to the journal, repeats of a batch left out",
    registers,
  });
  const bytes = new Counter({
    name: "talaria_journal_bytes_total",
    help: "Bytes of their payload",
    registers,
  });
  const refused = new Counter({
    name: "talaria_journal_refused_total",
    help: "Appends and claims that were refused (stale: by the fence) or did not reach Redis, by reason",
    labelNames: ["reason"],
    registers,
  });
  const reads = new Histogram({
    name: "talaria_journal_read_seconds",
    help: "Time to read a page of the journal, from Redis or the archive",
    buckets: BUCKETS_S,
    registers,
  });
  for (const reason of REASONS) refused.inc({ reason }, 0);

  const counted = async (
    work: Promise<AppendResult>,
    entries: readonly NewEntry[],
    expected?: AppendResult["status"],
  ): Promise<AppendResult> => {
    const begunMs = performance.now();
    const result = await work.catch((error: unknown) => {
      refused.inc({ reason: "unavailable" });
      throw error;
    });
    if (result.status !== "ok") {
      if (result.status !== expected) refused.inc({ reason: result.status });
    } else if (entries.length > 0) {
      appends.observe((performance.now() - begunMs) / 1000);
      if (!result.duplicate) {
        events.inc(entries.length);
        bytes.inc(entries.reduce((sum, { data }) => sum + Buffer.byteLength(data), 0));
      }
    }
    return result;
  };
  const timed = async <T>(work: Promise<T>): Promise<T> => {
    const begunMs = performance.now();
    const result = await work;
    reads.observe((performance.now() - begunMs) / 1000);
    return result;
  };

  return {
    ...journal,
    claim: (...args) => counted(journal.claim(...args), []),
    append: (writer, batch, entries, final) =>
      counted(journal.append(writer, batch, entries, final), entries),
    announce: (target, dedupe, entries, final) =>
      // The end of a run that has been told already is no refusal.
      counted(journal.announce(target, dedupe, entries, final), entries, "closed"),
    range: (...args) => timed(journal.range(...args)),
    runRange: (...args) => timed(journal.runRange(...args)),
  };
};
