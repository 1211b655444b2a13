/** Wall time in epoch seconds, for rows and screens; durations use the monotonic clock. */
export type Clock = () => number;
export const wallClock: Clock = () => Date.now() / 1000;
