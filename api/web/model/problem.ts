/** Why something was refused, in the form that a view shows beside what was asked. */
export interface Problem {
  /** The stable code; "network" when no answer came. */
  readonly code: string;
  readonly message: string;
  /** What is wrong with single fields, by their path in the request. */
  readonly faults: readonly { readonly path: string; readonly message: string }[];
  /** Runs that stand in the way. */
  readonly runs: number;
}

/** What came of a command whose refusal is shown in place. */
export type Outcome<T> =
  | { readonly ok: true; readonly value: T }
  | { readonly ok: false; readonly problem: Problem };

/** One sentence for a refusal; faults of fields that `shownElsewhere` are left to those. */
export const problemText = (
  { code, message, faults }: Problem,
  shownElsewhere: ReadonlySet<string> = new Set(),
): string => {
  if (code === "network") return `${message} Nothing was changed as far as is known; try again.`;
  const others = faults.filter(({ path }) => !shownElsewhere.has(path));
  if (faults.length > 0 && others.length === 0) return "Look at the fields that are marked.";
  return [sentence(message), ...others.map((fault) => sentence(`${fault.path}: ${fault.message}`))].join(" ");
};

/** With a capital at the beginning and a stop at the end. */
export const sentence = (text: string): string => {
  const begun = text.slice(0, 1).toUpperCase() + text.slice(1);
  return /[.!?…]$/.test(begun) ? begun : `${begun}.`;
};
