import type { ReadFile } from "./file.ts";
import type { FileInfo } from "./port.ts";
import { generationOf, lastRowId } from "./versions.ts";

/** The newest schema version whose columns this reader was written for. */
const NEWEST_KNOWN = 31;

export const inspectFile = (file: ReadFile): FileInfo => {
  const shape = file.shape();
  // A damaged file often shows with the first page of its tables.
  file.prepare("SELECT id FROM sessions LIMIT 1").pluck().get();
  lastRowId(file);
  const version = versionOf(file);
  return {
    version,
    newer: version !== null && version > NEWEST_KNOWN,
    columns: { sessions: [...shape.sessions], messages: [...shape.messages] },
    generation: generationOf(file),
  };
};

const versionOf = (file: ReadFile): number | null => {
  const hasVersion = (file.db.pragma("table_info(schema_version)") as { name: string }[]).some(
    ({ name }) => name === "version",
  );
  if (!hasVersion) return null;
  const value = file.prepare("SELECT MAX(version) FROM schema_version").pluck().get();
  return typeof value === "number" ? value : null;
};
