/** How long a transaction waits for a lock that another process holds, in milliseconds. */
export const BUSY_TIMEOUT_MS = 5_000;
