/** Work that is done again and again, one pass at a time, with a pause behind each. */
export interface Rounds {
  /** Resolves when the first pass is over. */
  readonly first: Promise<void>;
  /** A pass now, behind the one under way; resolves when it is over. */
  now(): Promise<void>;
  /** Begins no further pass and waits for the one under way. */
  close(): Promise<void>;
}

/** Begins with the first pass; `onError` hears of a pass that failed, and the next one follows all the same. */
export const startRounds = ({
  work,
  pauseMs,
  onError,
}: {
  readonly work: () => Promise<void>;
  readonly pauseMs: () => number;
  readonly onError: (error: unknown) => void;
}): Rounds => {
  let timer: ReturnType<typeof setTimeout> | undefined;
  let pass: Promise<void> = Promise.resolve();
  let isClosed = false;
  const now = (): Promise<void> => {
    clearTimeout(timer);
    pass = pass
      .then(() => (isClosed ? undefined : work()))
      .catch(onError)
      .then(() => {
        clearTimeout(timer);
        if (!isClosed) timer = setTimeout(() => void now(), pauseMs());
      });
    return pass;
  };
  return {
    first: now(),
    now,
    close: async () => {
      isClosed = true;
      clearTimeout(timer);
      await pass;
    },
  };
};
