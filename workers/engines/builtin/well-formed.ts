/**
 * Holds back the first half of a character that a provider cut in two between deltas: stored alone, each half would turn
 * into a replacement character. Halves that never meet are replaced here, so that every later layer sees one text.
 */
export const createWellFormed = () => {
  let held = "";
  return {
    push(delta: string): string {
      const text = held + delta;
      const endsInHalf = (text.charCodeAt(text.length - 1) & 0xfc00) === 0xd800;
      held = endsInHalf ? text.slice(-1) : "";
      return (endsInHalf ? text.slice(0, -1) : text).toWellFormed();
    },
    end(): string {
      const rest = held.toWellFormed();
      held = "";
      return rest;
    },
  };
};
