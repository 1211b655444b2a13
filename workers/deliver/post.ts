import { promises as dns, type LookupAddress } from "node:dns";
import { request as httpRequest, type IncomingMessage, type RequestOptions } from "node:http";
import { request as httpsRequest } from "node:https";
import { isIP, type LookupFunction } from "node:net";
import {
  type AddressRules,
  bareHost,
  isAllowedPrivate,
  mayConnect,
  refusalOf,
} from "../../common/deliveries/address.ts";

export interface Posted {
  readonly status: number;
  readonly retryAfter: string | null;
}

/** Why there was no answer. Words of ours: what a system says of a connection names the address, which may hold a key. */
export type NoAnswer = "address_refused" | "name_not_found" | "timeout" | "connection_failed";

export class PostError extends Error {
  readonly reason: NoAnswer;
  constructor(reason: NoAnswer, options?: ErrorOptions) {
    super(reason, options);
    this.name = "PostError";
    this.reason = reason;
  }
}

export type Post = (
  target: string,
  message: { readonly headers: Readonly<Record<string, string>>; readonly body: Buffer },
  signal: AbortSignal,
) => Promise<Posted>;

export interface PostDeps extends AddressRules {
  readonly timeoutMs: number;
  /** All addresses of a name. */
  readonly resolve?: (host: string) => Promise<readonly LookupAddress[]>;
}

/** More of an answer's body is not waited for. */
const MAX_BODY_BYTES = 16_384;

/**
 * POSTs to an address that somebody else named (security-contract 11). All addresses of its name are looked at, and the connection
 * goes to those: a name that is another one a moment later changes nothing. No redirect is followed, no connection and no proxy is
 * shared, time and size are bounded. Resolves with any answer; rejects with `PostError`, or the signal's reason.
 */
export const createPost = ({ timeoutMs, resolve = resolveAll, ...rules }: PostDeps): Post => {
  const lookupFor = (privately: boolean): LookupFunction => {
    return (host, options, done) => {
      resolve(host).then(
        (found) => {
          const refused = found.length === 0 || found.some(({ address }) => !mayConnect(address, privately));
          if (refused) return done(new PostError("address_refused"), [], 0);
          const [first] = found;
          if (options.all === true || first === undefined) done(null, [...found]);
          else done(null, first.address, first.family);
        },
        (cause: unknown) => done(new PostError("name_not_found", { cause }), [], 0),
      );
    };
  };

  return async (target, { headers, body }, signal) => {
    const url = URL.parse(target);
    if (url === null || refusalOf(target, rules) !== null) throw new PostError("address_refused");
    const privately = isAllowedPrivate(url, rules);
    const host = bareHost(url);
    // Nothing is looked up for an address that is one already.
    if (isIP(host) !== 0 && !mayConnect(host, privately)) throw new PostError("address_refused");
    const deadline = AbortSignal.timeout(timeoutMs);
    try {
      return await exchange(url, {
        method: "POST",
        headers: { ...headers, "content-length": String(body.length), connection: "close" },
        lookup: lookupFor(privately),
        agent: false,
        signal: AbortSignal.any([deadline, signal]),
        body,
      });
    } catch (error) {
      signal.throwIfAborted();
      if (deadline.aborted) throw new PostError("timeout");
      throw error instanceof PostError ? error : new PostError("connection_failed", { cause: error });
    }
  };
};

const resolveAll = (host: string): Promise<readonly LookupAddress[]> =>
  dns.lookup(host, { all: true, order: "verbatim" });

/** Resolves with the answer's head; its body is read so far that a short one ends in an orderly way, and then cut. */
const exchange = (
  url: URL,
  { body, ...options }: RequestOptions & { readonly body: Buffer },
): Promise<Posted> =>
  new Promise((resolve, reject) => {
    const send = url.protocol === "https:" ? httpsRequest : httpRequest;
    const outgoing = send(url, options, (answer) => {
      resolve({ status: answer.statusCode ?? 0, retryAfter: answer.headers["retry-after"] ?? null });
      drain(answer);
    });
    outgoing.on("error", reject);
    // An answer of another protocol: nothing is spoken in it.
    outgoing.on("upgrade", (answer, socket) => {
      socket.destroy();
      resolve({ status: answer.statusCode ?? 0, retryAfter: null });
    });
    outgoing.end(body);
  });

const drain = (answer: IncomingMessage): void => {
  let bytes = 0;
  answer.on("data", (piece: Buffer) => {
    bytes += piece.length;
    if (bytes > MAX_BODY_BYTES) answer.destroy();
  });
  // The answer counts; what becomes of the rest is nobody's concern.
  answer.on("error", () => {});
};
