import { expect, test } from "@jest/globals";
import { Registry } from "prom-client";
import { countJournal } from "../../../common/metrics/journal-figures.ts";
import { token, withJournal } from "../../helpers/journal.ts";

const writer = { sessionId: "s_1", runId: "run_a", generation: 1, attempt: 1 };
const newer = { ...writer, generation: 2, attempt: 2 };
const end = { sessionId: "s_1", runId: "run_a", generation: 2, attempt: 2, minSeq: 0 };

test("events and bytes are counted once, what the fence refuses by its reason", () =>
  withJournal(async ({ journal: plain }) => {
    const registry = new Registry();
    const journal = countJournal(plain, registry);
    const value = async (name: string, labels: Record<string, string> = {}): Promise<number> => {
      const metric = (await registry.getSingleMetric(name)?.get()) as {
        values: { value: number; metricName?: string; labels: Record<string, string> }[];
      };
      const found = metric.values.find(
        (one) =>
          (one.metricName ?? `${name}_count`) === `${name}_count` &&
          Object.entries(labels).every(([label, text]) => one.labels[label] === text),
      );
      return found?.value ?? 0;
    };
    await journal.claim(writer, 0);
    const entries = [token("one"), token("zwölf")];
    await journal.append(writer, 1, entries);
    // The reply was lost: the same batch again.
    await journal.append(writer, 1, entries);
    expect(await value("talaria_journal_events_total")).toBe(2);
    expect(await value("talaria_journal_bytes_total")).toBe(
      entries.reduce((sum, { data }) => sum + Buffer.byteLength(data), 0),
    );
    expect(await value("talaria_journal_append_seconds")).toBe(2);

    await journal.claim(newer, 0);
    expect((await journal.append(writer, 2, [token("late")])).status).toBe("stale");
    expect(await value("talaria_journal_refused_total", { reason: "stale" })).toBe(1);
    expect(await value("talaria_journal_events_total")).toBe(2);

    // The end is told by whoever comes: the second one is no refusal.
    await journal.announce(end, "end", [{ event: "stream_end", data: "{}" }], true);
    expect((await journal.announce(end, "other", [{ event: "stream_end", data: "{}" }], true)).status).toBe(
      "closed",
    );
    expect(await value("talaria_journal_refused_total", { reason: "closed" })).toBe(0);

    await journal.range("s_1", 0, 10);
    expect(await value("talaria_journal_read_seconds")).toBe(1);
  }));
