import type { LegacyPlan } from "../../common/exchange/hermes-webui/plan.ts";
import { cleanLine } from "../../common/exchange/text.ts";

const RESULTS = ["imported", "merged", "unchanged", "skipped", "refused"] as const;

/** What became of one file. */
export interface FileResult {
  readonly file: string;
  /** "merged": imported, with messages that state.db has as well; "skipped": nothing to import, and that is fine. */
  readonly result: (typeof RESULTS)[number];
  readonly reason: string | null;
  /** Id and profile of the conversation, where the file got that far. */
  readonly session: string | null;
  readonly profile: string | null;
  readonly counts: LegacyPlan["counts"] | null;
  /** What a person should know although the import went well. */
  readonly notes: readonly string[];
}

export type Summary = Readonly<Record<FileResult["result"], number>>;

export const summarise = (results: readonly FileResult[]): Summary =>
  Object.fromEntries(
    RESULTS.map((kind) => [kind, results.filter(({ result }) => result === kind).length]),
  ) as Summary;

/** `3 imported, 1 merged, …`: the last line of the report. */
export const summaryLine = (summary: Summary): string =>
  RESULTS.map((kind) => `${summary[kind]} ${kind}`).join(", ");

/** One line for one file. File names and texts of files come from outside: control characters are not printed. */
export const resultLine = ({ file, result, reason, profile, counts, notes }: FileResult): string => {
  const details = [
    ...(reason === null ? [] : [reason]),
    ...(counts === null ? [] : [countsText(counts), `profile ${profile}`]),
    ...notes,
  ];
  return cleanLine(`${result.padEnd(9)} ${file}`).concat(
    details.length === 0 ? "" : ` (${cleanLine(details.join("; "))})`,
  );
};

/** The whole report as one JSON document. */
export const reportJson = (results: readonly FileResult[]): string =>
  JSON.stringify({ files: results, summary: summarise(results) }, null, 2);

const countsText = ({ merged, fromStore, localOnly, leftOut }: LegacyPlan["counts"]): string => {
  const parts = [`${merged} in both`, `${fromStore} from state.db`, `${localOnly} only in the file`];
  const total = merged + fromStore + localOnly;
  const left = leftOut === 0 ? "" : `; ${leftOut} rows that nobody sees left out`;
  return `${total} ${total === 1 ? "message" : "messages"}: ${parts.join(", ")}${left}`;
};
