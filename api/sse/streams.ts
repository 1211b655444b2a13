import type { Request, Response } from "express";
import type { Logger } from "pino";
import { TalariaError } from "../../common/base/errors.ts";
import { type EndReason, openPump, type Pump, STREAM_HEADERS } from "./pump.ts";
import type { Feed } from "./run-stream.ts";

/** Who follows, as far as streams care; null: nobody had to log in. */
export interface Follower {
  readonly id: string;
  valid(): Promise<boolean>;
}

export interface StreamsDeps {
  readonly maxStreams: number;
  readonly maxPerFollower: number;
  readonly heartbeatMs: number;
  readonly slowReaderMs: number;
  /** How often a follower's login is looked at again. */
  readonly recheckMs: number;
  /** Aborts when the server stops taking part; streams then end cleanly and clients come back elsewhere. */
  readonly shutdown: AbortSignal;
  readonly isOutage: (error: unknown) => boolean;
  readonly onFrames: (count: number) => void;
  readonly onEnd: (reason: EndReason | "refused" | "outage" | "failed") => void;
  readonly log: Logger;
}

export interface Streams {
  /**
   * Answers with a stream: a place is taken, then the position settled (`prepare` may reject: that is still a JSON answer),
   * then headers, then frames until the feed, the client, a revoked login or the shutdown ends it.
   */
  serve(req: Request, res: Response, follower: Follower | null, prepare: () => Promise<Feed>): Promise<void>;
  /** Ends the streams of logins that are valid no more. */
  recheck(): Promise<void>;
  readonly open: number;
}

/** The open event streams of a process: their bounds and their ends (R-35, R-36; security-contract 4, 7). */
export const createStreams = (deps: StreamsDeps): Streams => {
  /** Places, not pumps: a stream counts from the moment it is asked for. */
  const places = new Map<object, { readonly follower: Follower | null; pump: Pump | null }>();
  let recheckTimer: ReturnType<typeof setInterval> | null = null;

  const take = (follower: Follower | null): object => {
    if (deps.shutdown.aborted)
      throw unavailable("shutting_down", "The server is stopping; come back in a moment.");
    if (places.size >= deps.maxStreams) throw unavailable("overloaded", "Too many event streams are open.");
    if (follower !== null) {
      const own = [...places.values()].filter((place) => place.follower?.id === follower.id).length;
      if (own >= deps.maxPerFollower)
        throw new TalariaError("too_many_streams", "You have too many event streams open.", {
          retryAfterS: 5,
        });
      recheckTimer ??= setInterval(() => void recheck(), deps.recheckMs).unref();
    }
    const place = {};
    places.set(place, { follower, pump: null });
    return place;
  };

  const recheck = async (): Promise<void> => {
    for (const { follower, pump } of [...places.values()])
      if (follower !== null && pump !== null && !(await follower.valid().catch(() => true))) pump.end();
  };

  deps.shutdown.addEventListener("abort", () => {
    if (recheckTimer !== null) clearInterval(recheckTimer);
    for (const { pump } of places.values()) pump?.end();
  });

  return {
    get open() {
      return places.size;
    },
    recheck,
    async serve(req, res, follower, prepare) {
      const place = take(follower);
      try {
        const feed = await prepare();
        if (res.destroyed || req.socket.destroyed) return deps.onEnd("client_left");
        if (req.method === "HEAD") {
          for (const [name, value] of STREAM_HEADERS) res.setHeader(name, value);
          res.end();
          return;
        }
        const pump = openPump(res, deps);
        places.set(place, { follower, pump });
        if (deps.shutdown.aborted) pump.end();
        deps.onEnd(await run(feed, pump));
      } catch (error) {
        deps.onEnd("refused");
        throw error;
      } finally {
        places.delete(place);
      }
    },
  };

  async function run(feed: Feed, pump: Pump): Promise<EndReason | "outage" | "failed"> {
    let failed: "outage" | "failed" | null = null;
    try {
      await feed(pump);
    } catch (error) {
      if (!pump.signal.aborted) {
        failed = deps.isOutage(error) ? "outage" : "failed";
        if (failed === "failed") deps.log.error({ err: error }, "an event stream failed");
      }
    }
    pump.end();
    const reason = await pump.over;
    return failed ?? reason;
  }
};

const unavailable = (code: "shutting_down" | "overloaded", message: string): TalariaError =>
  new TalariaError(code, message, { retryAfterS: 2 });
