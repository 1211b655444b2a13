import type { Process } from "../../../common/contracts/process.ts";

/** What the list said, with what events have told since: of one process an end stays an end (they may overtake each other). */
export const mergeProcesses = (known: readonly Process[], news: readonly Process[]): readonly Process[] => {
  const byId = new Map(known.map((process) => [process.id, process]));
  for (const process of news) {
    const before = byId.get(process.id);
    if (before === undefined || rankOf(process) >= rankOf(before)) byId.set(process.id, process);
  }
  return [...byId.values()].sort((a, b) => a.started_at - b.started_at || (a.id < b.id ? -1 : 1));
};

/** Those that go on, the oldest first. */
export const runningProcesses = (processes: readonly Process[]): readonly Process[] =>
  processes.filter(({ state }) => state === "running");

const rankOf = ({ state, completion, kill_requested }: Process): number =>
  state === "ended" ? (completion === "pending" ? 2 : 3) : kill_requested ? 1 : 0;
