import type { Response } from "express";
import { HEARTBEAT, PREAMBLE } from "./frame.ts";

export interface PumpOptions {
  readonly heartbeatMs: number;
  /** A reader that takes nothing for this long is cut off. */
  readonly slowReaderMs: number;
  readonly onFrames: (count: number) => void;
}

/** Why a stream is over. */
export type EndReason = "ended" | "client_left" | "slow_reader";

/** The writing side of one open stream. */
export interface Pump {
  /**
   * Writes frames, joined up to a bound, and waits for the reader whenever it is behind: the journal is the buffer, not
   * this process (reliability 11). Resolves early when the stream is over; look at `signal`.
   */
  send(frames: readonly string[]): Promise<void>;
  /** Aborts when nothing more can be written. */
  readonly signal: AbortSignal;
  /** Ends the response after what was written. */
  end(): void;
  /** Resolves when the connection is finished with. */
  readonly over: Promise<EndReason>;
}

const MAX_WRITE_CHARS = 65_536;

/** Sends the headers and the first comment of a stream. Nothing before this call may have been written. */
export const openPump = (res: Response, { heartbeatMs, slowReaderMs, onFrames }: PumpOptions): Pump => {
  const gone = new AbortController();
  const finished = Promise.withResolvers<EndReason>();
  let drained: PromiseWithResolvers<void> | null = null;
  let slowTimer: ReturnType<typeof setTimeout> | undefined;
  let ending: EndReason = "client_left";

  res.status(200);
  for (const [name, value] of STREAM_HEADERS) res.setHeader(name, value);
  res.flushHeaders();

  const write = (text: string): void => {
    if (gone.signal.aborted || res.write(text) || drained !== null) return;
    drained = Promise.withResolvers();
    slowTimer = setTimeout(() => {
      ending = "slow_reader";
      res.destroy();
    }, slowReaderMs);
  };
  const release = (): void => {
    clearTimeout(slowTimer);
    drained?.resolve();
    drained = null;
  };
  // A reader that is behind gets no comments on top; `slowTimer` watches it.
  const heartbeat = setTimeout(() => {
    if (drained === null) write(HEARTBEAT);
    heartbeat.refresh();
  }, heartbeatMs);

  res.on("drain", release);
  res.on("error", () => res.destroy());
  res.once("close", () => {
    clearTimeout(heartbeat);
    clearTimeout(slowTimer);
    release();
    gone.abort();
    finished.resolve(ending);
  });
  write(PREAMBLE);

  return {
    signal: gone.signal,
    over: finished.promise,
    async send(frames) {
      for (let first = 0; first < frames.length && !gone.signal.aborted; ) {
        let text = "";
        let next = first;
        for (; next < frames.length && text.length < MAX_WRITE_CHARS; next++) text += frames[next];
        write(text);
        heartbeat.refresh();
        onFrames(next - first);
        first = next;
        if (drained !== null) await drained.promise;
      }
    },
    end() {
      if (gone.signal.aborted) return;
      ending = "ended";
      clearTimeout(heartbeat);
      gone.abort();
      release();
      slowTimer = setTimeout(() => res.destroy(), slowReaderMs);
      res.end();
    },
  };
};

export const STREAM_HEADERS: readonly (readonly [string, string])[] = [
  ["Content-Type", "text/event-stream; charset=utf-8"],
  ["Cache-Control", "no-cache, no-transform"],
  ["X-Accel-Buffering", "no"],
];
