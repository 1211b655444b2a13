/** The same store, where `work` happens once, before the `nth` call of an operation. */
export const before = <T extends object>(
  store: T,
  call: keyof T & string,
  nth: number,
  work: () => Promise<void>,
): T => {
  let calls = 0;
  const real = store[call] as (...args: unknown[]) => Promise<unknown>;
  return Object.create(store, {
    [call]: {
      value: async (...args: unknown[]) => {
        calls += 1;
        if (calls === nth) await work();
        return real(...args);
      },
    },
  }) as T;
};
