const DAY_MS = 86_400_000;
/** A login ends when it was not used for this long, or is this old, in milliseconds (security-contract 4). */
export const LOGIN_IDLE_MS = 7 * DAY_MS;
export const LOGIN_ABSOLUTE_MS = 30 * DAY_MS;
