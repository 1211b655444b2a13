import {
  createHash,
  createHmac,
  randomBytes,
  type ScryptOptions,
  scrypt,
  timingSafeEqual,
} from "node:crypto";
import type { CookieOptions, Request, RequestHandler, Response } from "express";
import type { Logger } from "pino";
import { TalariaError } from "../../common/base/errors.ts";
import { LOGIN_ABSOLUTE_MS, LOGIN_IDLE_MS } from "../../common/contracts/login-times.ts";
import type { AuthStore } from "./auth-store.ts";

const TOUCH_MS = 60_000;

/** Who asks. `id` names the principal in limits and never leaves the process. */
export interface Principal {
  readonly id: string;
  readonly kind: "local" | "login" | "token";
  /** False once a logout, an expiry or another password ended it; asked again while a stream is open. */
  valid(): Promise<boolean>;
}

export interface Auth {
  /** False on a loopback server without password and token: everybody who reaches it may use it. */
  readonly required: boolean;
  /** Sets the principal of the request, if it has one. */
  identify(): RequestHandler;
  /** Refuses a request without a principal: 401 `unauthorized`. */
  demand(): RequestHandler;
  /** Sets a new cookie. Rejects with `invalid_credentials`. */
  login(req: Request, res: Response, password: string): Promise<void>;
  /** Ends the login that the request came with, and removes its cookie. */
  logout(req: Request, res: Response): Promise<void>;
}

export interface AuthDeps {
  readonly config: { readonly password: string | null; readonly token: string | null };
  readonly store: AuthStore;
  /** Hears of logins and of failed attempts, with the peer's address. */
  readonly log?: Logger;
  readonly nowMs?: () => number;
}

/**
 * Cookie logins and the bearer token (security-contract 4, native-api "Process"). The cookie is 256 random bits and kept
 * as a hash only; its name carries the port, because browsers send cookies to every port of a host.
 */
export const createAuth = ({ config, store, log, nowMs = Date.now }: AuthDeps): Auth => {
  const required = config.password !== null || config.token !== null;
  const passwordKey = config.password === null ? null : stretch(config.password);
  const tokenHash = config.token === null ? null : sha256(config.token);

  const isAlive = async (hash: string): Promise<boolean> => {
    const key = await passwordKey;
    const login = key === null ? null : await store.get(hash);
    if (key === null || login === null) return false;
    const now = nowMs();
    if (now - login.seenAtMs > LOGIN_IDLE_MS || now - login.createdAtMs > LOGIN_ABSOLUTE_MS) return false;
    if (!sameText(login.proof, proofOf(key, hash))) return false;
    if (now - login.seenAtMs > TOUCH_MS) await store.touch(hash, now);
    return true;
  };

  const principalOf = async (req: Request): Promise<Principal | null> => {
    if (!required) return LOCAL;
    const { authorization } = req.headers;
    if (authorization !== undefined) {
      const given = /^Bearer ([\x21-\x7e]{1,512})$/i.exec(authorization)?.[1];
      if (given === undefined || tokenHash === null) return null;
      return timingSafeEqual(sha256(given), tokenHash) ? TOKEN : null;
    }
    const cookie = readCookie(req);
    if (cookie === null) return null;
    const hash = sha256(cookie).toString("hex");
    if (!(await isAlive(hash))) return null;
    return { id: `login:${hash}`, kind: "login", valid: () => isAlive(hash) };
  };

  return {
    required,
    identify: () => (req, res, next) => {
      principalOf(req).then((principal) => {
        res.locals.principal = principal;
        next();
      }, next);
    },
    demand: () => (_req, res, next) =>
      next(principalIn(res) === null ? new TalariaError("unauthorized", "Log in first.") : undefined),
    async login(req, res, password) {
      if (!required) return;
      const key = await passwordKey;
      if (key === null || !timingSafeEqual(await stretch(password), key)) {
        log?.warn({ peer: req.ip }, "a login failed");
        throw new TalariaError("invalid_credentials", "That is not the password.");
      }
      const cookie = randomBytes(32).toString("base64url");
      const hash = sha256(cookie).toString("hex");
      const now = nowMs();
      const login = { hash, proof: proofOf(key, hash), createdAtMs: now, seenAtMs: now };
      await store.add(login, now - LOGIN_ABSOLUTE_MS, now - LOGIN_IDLE_MS);
      log?.info({ peer: req.ip }, "a login");
      res.cookie(cookieName(req), cookie, { ...cookieOptions(req), maxAge: LOGIN_ABSOLUTE_MS });
    },
    async logout(req, res) {
      const cookie = readCookie(req);
      if (cookie !== null) await store.remove(sha256(cookie).toString("hex"));
      res.clearCookie(cookieName(req), cookieOptions(req));
    },
  };
};

/** The principal that `identify` found; null when there is none. */
export const principalIn = (res: Response): Principal | null =>
  (res.locals.principal as Principal | null | undefined) ?? null;

const always = async (): Promise<boolean> => true;
const LOCAL: Principal = { id: "local", kind: "local", valid: always };
const TOKEN: Principal = { id: "token", kind: "token", valid: always };

const sha256 = (text: string): Buffer => createHash("sha256").update(text).digest();
const sameText = (a: string, b: string): boolean => timingSafeEqual(sha256(a), sha256(b));
const proofOf = (key: Buffer, hash: string): string => createHmac("sha256", key).update(hash).digest("hex");

const SCRYPT: ScryptOptions = { N: 16_384, r: 8, p: 1 };
const stretch = (password: string): Promise<Buffer> =>
  new Promise((resolve, reject) =>
    scrypt(password.normalize("NFC"), "talaria login", 32, SCRYPT, (error, key) =>
      error === null ? resolve(key) : reject(error),
    ),
  );

const cookieName = (req: Request): string =>
  `${req.secure ? "__Host-" : ""}talaria_${req.socket.localPort ?? 0}`;
const cookieOptions = (req: Request): CookieOptions => ({
  httpOnly: true,
  sameSite: "strict",
  path: "/",
  secure: req.secure,
});

const readCookie = (req: Request): string | null => {
  const name = `${cookieName(req)}=`;
  for (const part of (req.headers.cookie ?? "").split(";")) {
    const pair = part.trim();
    if (pair.startsWith(name) && /^[A-Za-z0-9_-]{43}$/.test(pair.slice(name.length)))
      return pair.slice(name.length);
  }
  return null;
};
