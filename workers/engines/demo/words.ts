const WORDS = (
  "amber basin cedar delta ember fable grove haven inlet jolly kayak lemon maple noble ocean " +
  "pearl quilt river stone tulip umbra vivid willow xenon yield zephyr arrow bloom crisp dune eagle frost"
).split(" ");

/** Word `index` of the text under `seed`: a pure function, so any part of a text can be recomputed. */
export const word = (seed: number, index: number): string => {
  let x = (Math.imul(index + 1, 0x9e3779b1) ^ Math.imul(seed | 0, 0x85ebca6b)) >>> 0;
  x ^= x >>> 15;
  x = Math.imul(x, 0x2c1b3c6d);
  x ^= x >>> 12;
  return WORDS[(x >>> 0) & 31] ?? "";
};

/** The whole text that a request with these directives is answered with (`stamp=0`). */
export const expectedText = (tokens: number, seed = 1, pad = 0): string => {
  const padding = "x".repeat(pad);
  let text = "";
  for (let i = 0; i < tokens; i++) text += `${word(seed, i)}${padding} `;
  return text;
};

/** The reasoning of `reason=N`: the words of another seed, so that it is never mistaken for the answer. */
export const expectedReasoning = (tokens: number, seed = 1): string => expectedText(tokens, seed + 7);
