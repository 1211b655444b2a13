import { fileURLToPath } from "node:url";
import type { UpdateWork } from "../common/jobs/update-ops.ts";
import type { TalariaDb } from "../common/talaria-db/open.ts";
import { createGitSource } from "../common/updates/git-source.ts";
import type { UpdateRoutesDeps } from "./routes/updates.ts";

/** What the routes of updates ask. `from`: a clone, "off", or null for the one that the program runs from. */
export const updateCalls = (
  { write }: Pick<TalariaDb, "write">,
  queue: { addSummary(work: UpdateWork): Promise<void> },
  from: string | null,
): Omit<UpdateRoutesDeps, "demandProfile"> => ({
  source: createGitSource({
    name: "talaria",
    dir: from === "off" ? null : (from ?? fileURLToPath(new URL("../", import.meta.url))),
  }),
  async askUpdateSummary(asked) {
    const { summary, work } = await write.askUpdateSummary(asked);
    // Whoever waits asks again, so what was lost between the two stores comes back by itself.
    if (work !== null) await queue.addSummary(work);
    return summary;
  },
});
