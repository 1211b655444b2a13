import { promisify } from "node:util";
import { zstdCompress, zstdDecompress } from "node:zlib";
import type { ArchivedRun, ArchiveStore, Entry } from "./port.ts";

/** Archived runs, decoded once and kept while there is room. */
export interface ArchiveReader {
  /** null when the run is not archived. */
  run(runId: string): Promise<DecodedRun | null>;
  /** Archived runs of the session with lastSeq > `after`, by firstSeq, at most `limit`. */
  after(sessionId: string, after: number, limit: number): Promise<readonly ArchivedRun[]>;
  /** Entries of an archived run, oldest first. */
  entries(run: ArchivedRun): Promise<readonly Entry[]>;
}

export interface DecodedRun {
  readonly run: Omit<ArchivedRun, "data">;
  readonly entries: readonly Entry[];
}

/** The form in which a run's entries are archived: one JSON array per line, compressed with zstd. */
export const encodeRun = async (entries: readonly Entry[]): Promise<Uint8Array> => {
  const lines = entries.map((entry) =>
    JSON.stringify([entry.seq, entry.generation, entry.event, entry.runSeq, entry.attempt, entry.data]),
  );
  return compress(Buffer.from(lines.join("\n"), "utf8"));
};

export const decodeRun = async (runId: string, data: Uint8Array): Promise<readonly Entry[]> => {
  const text = (await decompress(data)).toString("utf8");
  // "\n" and nothing else: text may hold U+2028 and other things that Unicode takes for a line's end.
  return text.split("\n").map((line) => {
    const [seq, generation, event, runSeq, attempt, entryData] = JSON.parse(line) as Line;
    return { seq, generation, event, runId, runSeq, attempt, data: entryData };
  });
};

/** Decodes through a cache of at most `maxBytes` (estimated); the runs used longest ago leave first. */
export const createArchiveReader = (store: ArchiveStore, maxBytes = 32 * 1024 * 1024): ArchiveReader => {
  const cache = new Map<string, { readonly decoded: Promise<DecodedRun>; bytes: number }>();
  let total = 0;

  const drop = (runId: string): void => {
    total -= cache.get(runId)?.bytes ?? 0;
    cache.delete(runId);
  };
  const shrink = (keep: string): void => {
    for (const runId of cache.keys()) {
      if (total <= maxBytes) return;
      if (runId !== keep) drop(runId);
    }
  };
  const cached = (runId: string): Promise<DecodedRun> | undefined => {
    const hit = cache.get(runId);
    if (hit === undefined) return undefined;
    cache.delete(runId);
    cache.set(runId, hit);
    return hit.decoded;
  };
  const decode = ({ data, ...run }: ArchivedRun): Promise<DecodedRun> => {
    const decoded = decodeRun(run.runId, data).then((entries) => ({ run, entries }));
    const slot = { decoded, bytes: 0 };
    cache.set(run.runId, slot);
    decoded.then(
      ({ entries }) => {
        if (cache.get(run.runId) !== slot) return;
        for (const entry of entries) slot.bytes += 2 * entry.data.length + ENTRY_OVERHEAD;
        total += slot.bytes;
        if (slot.bytes > maxBytes) drop(run.runId);
        else shrink(run.runId);
      },
      () => drop(run.runId),
    );
    return decoded;
  };

  return {
    async run(runId) {
      const hit = cached(runId);
      if (hit !== undefined) return hit;
      const found = await store.get(runId);
      return found === null ? null : (cached(runId) ?? decode(found));
    },
    after: (sessionId, after, limit) => store.after(sessionId, after, limit),
    entries: async (run) => (await (cached(run.runId) ?? decode(run))).entries,
  };
};

type Line = [seq: number, generation: number, event: string, runSeq: number, attempt: number, data: string];
const ENTRY_OVERHEAD = 150;
const compress = promisify(zstdCompress);
const decompress = promisify(zstdDecompress);
