import type { TalariaDb } from "../common/talaria-db/open.ts";
import type { AuthStore } from "./middleware/auth-store.ts";

/** Logins in talaria.db: they outlive the process. */
export const loginStore = ({ read, write }: Pick<TalariaDb, "read" | "write">): AuthStore => ({
  add: (login, createdBeforeMs, seenBeforeMs) => write.addLogin(login, createdBeforeMs, seenBeforeMs),
  get: (hash) => read.getLogin(hash),
  touch: (hash, seenAtMs) => write.touchLogin(hash, seenAtMs),
  remove: async (hash) => {
    await write.removeLogin(hash);
    await write.dropSubscriptions(`login:${hash}`);
  },
});
