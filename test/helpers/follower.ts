import { createParser } from "eventsource-parser";
import {
  applyRunEvent,
  createRunView,
  type RunFrame,
  type RunView,
  viewText,
} from "../../common/contracts/run-view.ts";

/** One SSE frame as it arrived. */
export interface Frame {
  readonly id: string | undefined;
  readonly event: string;
  readonly data: Record<string, unknown>;
}

/**
 * A client of one run's stream that reconnects with its cursor until the stream has ended, and applies each event exactly
 * once. Whatever happened on the way, `view` is what a person would see.
 */
export interface Follower {
  readonly view: RunView;
  readonly frames: readonly Frame[];
  readonly reconnects: number;
  /** Resolves when `stream_end` was applied. */
  readonly ended: Promise<void>;
  /** Resolves with the first frame, past or future, that fits. */
  until(fits: (frame: Frame) => boolean): Promise<Frame>;
  text(): string;
  /** Drops the connection; it comes back with its cursor. */
  drop(): void;
  close(): void;
}

export const followRun = (baseUrl: () => string, runId: string): Follower => {
  const frames: Frame[] = [];
  const waiting = new Set<{ fits: (frame: Frame) => boolean; resolve: (frame: Frame) => void }>();
  let view = createRunView(runId);
  let cursor = "";
  let reconnects = -1;
  let closed = false;
  let connection = new AbortController();
  let failed: unknown;

  const apply = (frame: Frame): void => {
    frames.push(frame);
    if (frame.id !== undefined) cursor = frame.id;
    if (frame.event === "reset") view = createRunView(runId);
    else if (frame.id !== undefined) {
      const result = applyRunEvent(view, { ...frame.data, event: frame.event } as unknown as RunFrame);
      if (result === "gap")
        failed = new Error(`gap: have ${view.lastSeq}, got ${JSON.stringify(frame.data.run_seq)}`);
      if (result === "duplicate") failed = new Error(`the server repeated ${frame.id}`);
    }
    for (const waiter of waiting) {
      if (!waiter.fits(frame)) continue;
      waiting.delete(waiter);
      waiter.resolve(frame);
    }
  };

  const connect = async (): Promise<void> => {
    const headers: Record<string, string> = cursor === "" ? {} : { "last-event-id": cursor };
    const response = await fetch(`${baseUrl()}/api/runs/${runId}/events`, {
      headers,
      signal: connection.signal,
    });
    if (response.status !== 200 || response.body === null) throw new Error(`status ${response.status}`);
    const parser = createParser({
      onEvent: ({ id, event, data }) =>
        apply({ id, event: event ?? "message", data: JSON.parse(data) as Record<string, unknown> }),
    });
    const decoder = new TextDecoder();
    for await (const chunk of response.body)
      parser.feed(decoder.decode(chunk as Uint8Array, { stream: true }));
  };

  const ended = (async () => {
    while (!closed && !frames.some((frame) => frame.event === "stream_end")) {
      reconnects++;
      connection = new AbortController();
      try {
        await connect();
      } catch {
        // Dropped, refused or restarting: come back with the cursor, calmly.
        await new Promise((resolve) => setTimeout(resolve, 50));
      }
      if (failed !== undefined) throw failed;
    }
  })();
  ended.catch(() => {});

  return {
    get view() {
      return view;
    },
    frames,
    get reconnects() {
      return reconnects;
    },
    ended,
    until: (fits) => {
      const seen = frames.find(fits);
      if (seen !== undefined) return Promise.resolve(seen);
      return new Promise((resolve) => waiting.add({ fits, resolve }));
    },
    text: () => viewText(view),
    drop: () => connection.abort(),
    close: () => {
      closed = true;
      connection.abort();
    },
  };
};
