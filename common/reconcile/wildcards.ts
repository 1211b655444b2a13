/**
 * Looks up rows whose optional ids do not contradict: a missing id matches every id. Stored under each combination of
 * (own value or "any"), asked under (value, missing) where the asker has an id and under "any" where it has none; so a
 * look-up never walks over rows that contradict it.
 */
export const storedUnder = (key: string, ids: readonly (string | null)[]): readonly string[] =>
  combine(key, ids, (id) => [named(id), ANY]);

export const askedUnder = (key: string, ids: readonly (string | null)[]): readonly string[] =>
  combine(key, ids, (id) => (id === null ? [ANY] : [named(id), named(null)]));

const ANY = "*";
const named = (id: string | null): string => (id === null ? "-" : `=${id}`);

const combine = (
  key: string,
  ids: readonly (string | null)[],
  forms: (id: string | null) => readonly string[],
): readonly string[] => {
  if (ids.length === 0) return [key];
  let keys: readonly string[] = [key];
  for (const id of ids) keys = keys.flatMap((start) => forms(id).map((form) => `${start}\u0000${form}`));
  return keys;
};
