import { createParser } from "eventsource-parser";
import type { Frame } from "./follower.ts";

/** A client of one session's stream from its beginning on, which comes back with its cursor whatever happens. */
export interface SessionFollower {
  readonly frames: readonly Frame[];
  /** Resolves with the first frame, past or future, that fits. */
  until(fits: (frame: Frame) => boolean): Promise<Frame>;
  /** `session_changed` frames of a reason. */
  changes(reason: string): readonly Frame[];
  close(): void;
}

/** Resolves when the stream has answered for the first time. */
export const followSession = async (baseUrl: () => string, sessionId: string): Promise<SessionFollower> => {
  const frames: Frame[] = [];
  const waiting = new Set<{ fits: (frame: Frame) => boolean; resolve: (frame: Frame) => void }>();
  const connection = new AbortController();
  let cursor = "";

  const apply = (frame: Frame): void => {
    frames.push(frame);
    if (frame.id !== undefined) cursor = frame.id;
    for (const waiter of [...waiting]) {
      if (!waiter.fits(frame)) continue;
      waiting.delete(waiter);
      waiter.resolve(frame);
    }
  };
  const connect = async (opened: () => void): Promise<void> => {
    const response = await fetch(`${baseUrl()}/api/sessions/${sessionId}/events?after=0`, {
      headers: cursor === "" ? {} : { "last-event-id": cursor },
      signal: connection.signal,
    });
    if (response.status !== 200 || response.body === null) throw new Error(`status ${response.status}`);
    opened();
    const parser = createParser({
      onEvent: ({ id, event, data }) =>
        apply({ id, event: event ?? "message", data: JSON.parse(data) as Record<string, unknown> }),
    });
    const decoder = new TextDecoder();
    for await (const chunk of response.body)
      parser.feed(decoder.decode(chunk as Uint8Array, { stream: true }));
  };
  await new Promise<void>((opened) => {
    void (async () => {
      while (!connection.signal.aborted) {
        try {
          await connect(opened);
        } catch {
          // Dropped, refused or restarting: come back with the cursor, calmly.
          await new Promise((resolve) => setTimeout(resolve, 50));
        }
      }
    })();
  });
  return {
    frames,
    until: (fits) => {
      const seen = frames.find(fits);
      if (seen !== undefined) return Promise.resolve(seen);
      return new Promise((resolve) => waiting.add({ fits, resolve }));
    },
    changes: (reason) =>
      frames.filter(({ event, data }) => event === "session_changed" && data.reason === reason),
    close: () => connection.abort(),
  };
};
