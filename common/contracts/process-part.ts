/**
 * What a message that stands for the end of a process says of it, as one of its `parts` (background-jobs B-38). Read without a schema: the
 * page does so, too, and the library of the schemas makes code at run time, which the page's policy forbids.
 */
export interface ProcessPart {
  readonly type: "process";
  readonly process_id: string;
  readonly command: string;
  /** In words. */
  readonly outcome: string;
  readonly failed: boolean;
  readonly output: string;
}

/** The processes that a message stands for; none for a message that a person wrote. */
export const processPartsOf = (message: {
  readonly source?: "process" | undefined;
  readonly parts?: readonly Readonly<Record<string, unknown>>[] | undefined;
}): readonly ProcessPart[] =>
  message.source === undefined
    ? []
    : (message.parts ?? []).flatMap((part) => (isProcessPart(part) ? [part] : []));

/** "Background process ended: make test, exit code 0". */
export const processHeadline = ({ command, outcome }: Pick<ProcessPart, "command" | "outcome">): string =>
  `Background process ended: ${command}, ${outcome}`;

const TEXTS = ["process_id", "command", "outcome", "output"];

const isProcessPart = (part: object): part is ProcessPart => {
  const fields = part as Readonly<Record<string, unknown>>;
  return (
    fields.type === "process" &&
    typeof fields.failed === "boolean" &&
    TEXTS.every((name) => typeof fields[name] === "string")
  );
};
