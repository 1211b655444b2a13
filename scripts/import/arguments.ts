import { parseArgs } from "node:util";
import { messageOf } from "../../common/base/errors.ts";

export const USAGE =
  "usage: npm run import -- hermes-webui <folder> [--dry-run] [--profile <name>] [--json]\n" +
  "  <folder>   the webui folder of a Hermes home, or its sessions folder\n" +
  "  --dry-run  say what would happen and change nothing\n" +
  "  --profile  where sessions go whose own profile does not exist here (default: default)\n" +
  "  --json     the report as one JSON document";

export interface ImportArguments {
  readonly folder: string;
  readonly dryRun: boolean;
  readonly profile: string | null;
  readonly json: boolean;
}

/** The command line that was given is none of ours, or names what does not exist: exit code 2. */
export class UsageError extends Error {}

/** Throws `UsageError` for anything but the usage above. */
export const parseArguments = (argv: readonly string[]): ImportArguments => {
  const { values, positionals } = parse(argv);
  const [format, folder, ...more] = positionals;
  if (format === undefined || folder === undefined || folder === "" || more.length > 0)
    throw new UsageError(USAGE);
  if (format !== "hermes-webui") throw new UsageError(`unknown format ${JSON.stringify(format)}\n${USAGE}`);
  return {
    folder,
    dryRun: values["dry-run"] ?? false,
    profile: values.profile ?? null,
    json: values.json ?? false,
  };
};

const parse = (argv: readonly string[]) => {
  try {
    return parseArgs({
      args: [...argv],
      options: { "dry-run": { type: "boolean" }, profile: { type: "string" }, json: { type: "boolean" } },
      allowPositionals: true,
      strict: true,
    });
  } catch (error) {
    throw new UsageError(`${messageOf(error)}\n${USAGE}`);
  }
};
