const ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz";

/**
 * A new opaque id: prefix, 9 characters of time (ids of one kind sort by age), 16 random ones (80 bits).
 * Matches `^[A-Za-z0-9_-]{1,64}$`, so it never holds `:` `/` or white space (native-api).
 */
export const newId = (prefix: string, nowMs: number = Date.now()): string => {
  let time = "";
  for (let left = Math.floor(nowMs), i = 0; i < 9; i++, left = Math.floor(left / 32))
    time = ALPHABET.charAt(left % 32) + time;
  let random = "";
  for (const byte of crypto.getRandomValues(new Uint8Array(16))) random += ALPHABET.charAt(byte & 31);
  return `${prefix}_${time}${random}`;
};
