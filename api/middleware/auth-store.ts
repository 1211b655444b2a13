/** A login that a cookie stands for. The cookie itself is never kept. Times are epoch milliseconds. */
export interface Login {
  /** SHA-256 of the cookie's value, hex. */
  readonly hash: string;
  /** Binds the login to the password that opened it: another password, and the login is void. */
  readonly proof: string;
  readonly createdAtMs: number;
  readonly seenAtMs: number;
}

/** Where logins are kept; async, so that a database can keep them over restarts. */
export interface AuthStore {
  /** Adds a login and forgets those that were created before `createdBeforeMs` or last seen before `seenBeforeMs`. */
  add(login: Login, createdBeforeMs: number, seenBeforeMs: number): Promise<void>;
  /** null: unknown, or ended. */
  get(hash: string): Promise<Login | null>;
  /** Of an unknown login it is no error. */
  touch(hash: string, seenAtMs: number): Promise<void>;
  remove(hash: string): Promise<void>;
}
