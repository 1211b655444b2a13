/** The outcome of `work`, or the signal's reason where that comes first: what does not settle when it is told to is not waited for. */
export const beforeAbort = async <T>(work: Promise<T>, signal: AbortSignal): Promise<T> => {
  const { promise: aborted, reject } = Promise.withResolvers<never>();
  const onAbort = (): void => reject(signal.reason);
  if (signal.aborted) onAbort();
  signal.addEventListener("abort", onAbort, { once: true });
  try {
    return await Promise.race([work, aborted]);
  } finally {
    signal.removeEventListener("abort", onAbort);
  }
};

/** The outcome of `work`, or `late` after so many milliseconds: it goes on then, and whether it fails is nobody's concern any more. */
export const within = async <T, L>(work: Promise<T>, ms: number, late: L): Promise<T | L> => {
  const { promise: timeUp, resolve } = Promise.withResolvers<L>();
  const timer = setTimeout(resolve, ms, late);
  try {
    return await Promise.race([work, timeUp]);
  } finally {
    clearTimeout(timer);
  }
};
