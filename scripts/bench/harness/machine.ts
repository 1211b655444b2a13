import { arch, cpus, loadavg, platform, release, totalmem } from "node:os";
import Database from "better-sqlite3";

/** Where figures were taken; figures of different machines cannot be compared. */
export interface Machine {
  readonly cores: number;
  readonly cpu: string;
  readonly memoryGib: number;
  readonly system: string;
  readonly node: string;
  readonly redis: string;
  readonly sqlite: string;
  /** Processes that wanted to run in the minute before: more than a fraction means that others were at work. */
  readonly loadBefore: number;
}

export const describeMachine = (redis: string): Machine => {
  const db = new Database(":memory:");
  const sqlite = String(db.prepare("select sqlite_version()").pluck().get());
  db.close();
  return {
    cores: cpus().length,
    cpu: cpus()[0]?.model.trim() ?? "unknown",
    memoryGib: Math.round(totalmem() / 2 ** 30),
    system: `${platform()} ${release()} ${arch()}`,
    node: process.version,
    redis,
    sqlite,
    loadBefore: Math.round((loadavg()[0] ?? 0) * 10) / 10,
  };
};
