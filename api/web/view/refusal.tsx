import type { ReactNode } from "react";
import { type Problem, problemText } from "../model/problem.ts";

/** Why a command was refused, read aloud, with the code; what may help stands under it. */
export const Refusal = ({
  problem,
  text = problemText(problem),
  children,
}: {
  readonly problem: Problem;
  readonly text?: string;
  readonly children?: ReactNode;
}) => (
  <div className="form-error" role="alert">
    <p>
      {text} <code>{problem.code}</code>
    </p>
    {children}
  </div>
);
