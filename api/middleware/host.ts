import { isIP } from "node:net";
import type { Request, RequestHandler } from "express";
import { TalariaError } from "../../common/base/errors.ts";

export interface HostConfig {
  /** Address the server is bound to. */
  readonly host: string;
  /** Further names that are answered, with or without a port. */
  readonly allowedHosts: readonly string[];
}

const MAX_URL_CHARS = 8192;
const LOOPBACK = ["127.0.0.1", "localhost", "[::1]"];
const WILDCARDS = new Set(["0.0.0.0", "::", ""]);

/**
 * Refuses what is not HTTP/1.1 with exactly one `Host` of ours (security-contract 2): a page that rebinds its own name to
 * this machine sends that name, and gets 421. Node itself accepts two Host headers, and none in HTTP/1.0.
 */
export const hostGuard = (config: HostConfig): RequestHandler => {
  const extra = new Set(config.allowedHosts.map((name) => name.toLowerCase()));
  const bound = WILDCARDS.has(config.host) ? [] : [bracketed(config.host.toLowerCase())];

  const isOurs = (authority: string, req: Request): boolean => {
    const { name, port } = splitAuthority(authority);
    if (name === "") return false;
    if (extra.has(authority.toLowerCase()) || extra.has(name)) return true;
    // An address cannot be rebound: the one this connection reached is ours by definition.
    const here = bracketed((req.socket.localAddress ?? "").replace(/^::ffff:/, ""));
    if (!LOOPBACK.includes(name) && !bound.includes(name) && !(here !== "" && name === here)) return false;
    return (port ?? 80) === req.socket.localPort;
  };

  return (req, _res, next) => {
    if (req.httpVersion !== "1.1") return next(malformed("Speak HTTP/1.1."));
    const hosts = req.rawHeaders.filter((name, i) => i % 2 === 0 && name.toLowerCase() === "host").length;
    if (hosts !== 1) return next(malformed("Send exactly one Host header."));
    if (req.url.length > MAX_URL_CHARS) return next(malformed("The address is too long."));
    if (!isDecodable(req.url)) return next(malformed("The address is not valid UTF-8."));
    if (!isOurs(req.headers.host ?? "", req)) return next(misdirected());
    if (req.url.startsWith("/")) return next();
    // `GET http://name/path`: the name in the target counts before the Host header.
    const target = /^https?:\/\/([^/?#]*)(.*)$/is.exec(req.url);
    if (target === null) return next(req.url === "*" ? undefined : malformed("The target is not a path."));
    if (!isOurs(target[1] ?? "", req)) return next(misdirected());
    const path = target[2] ?? "";
    req.url = path.startsWith("/") ? path : `/${path}`;
    next();
  };
};

const isDecodable = (url: string): boolean => {
  try {
    decodeURIComponent(url.replace(/[?#].*$/s, ""));
    return true;
  } catch {
    return false;
  }
};

const malformed = (message: string): TalariaError => new TalariaError("invalid_request", message);
const misdirected = (): TalariaError =>
  new TalariaError(
    "misdirected_request",
    "This server does not answer for that host name. TALARIA_ALLOWED_HOSTS lists more.",
  );

const bracketed = (address: string): string => (isIP(address) === 6 ? `[${address}]` : address);

const splitAuthority = (authority: string): { name: string; port: number | null } => {
  const match = /^(\[[0-9a-f:.]+\]|[a-z0-9._-]+)(?::(\d{1,5}))?$/i.exec(authority);
  if (match === null) return { name: "", port: null };
  return { name: (match[1] ?? "").toLowerCase(), port: match[2] === undefined ? null : Number(match[2]) };
};
