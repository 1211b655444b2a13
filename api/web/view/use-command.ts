import { useState } from "react";
import type { Outcome, Problem } from "../model/problem.ts";

/**
 * A command whose refusal is shown where it was given: whether it is on its way, and why the last one was refused. A refusal
 * stands until the next command is given, or until it is forgotten.
 */
export const useCommand = () => {
  const [busy, setBusy] = useState(false);
  const [problem, setProblem] = useState<Problem | null>(null);
  return {
    busy,
    problem,
    forget: (): void => setProblem(null),
    async run<T>(work: () => Promise<Outcome<T>>): Promise<Outcome<T>> {
      setBusy(true);
      setProblem(null);
      const outcome = await work();
      setBusy(false);
      if (!outcome.ok) setProblem(outcome.problem);
      return outcome;
    },
  };
};
