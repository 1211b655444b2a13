/** Messages that ask for nothing but to go on: where the context is exhausted they can only fail again (background-jobs B-29). */
export const isBareContinue = (text: string): boolean =>
  BARE.test(
    text
      .normalize("NFKC")
      .trim()
      .replace(/[\s.!…。！]+$/u, ""),
  );

const BARE =
  /^(?:(?:please\s+)?(?:continue|go on|carry on|keep going|proceed|resume)(?:\s+please)?|(?:bitte\s+)?(?:weiter|mach weiter|fortfahren)(?:\s+bitte)?|continue[zr]|continúa|continua|sigue|prosegui|продолжай(?:те)?|продолжи|继续|繼續|続けて(?:ください)?|계속(?:해(?:줘|주세요)?)?)$/iu;
