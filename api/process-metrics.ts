import type { Registry } from "prom-client";
import type { Backbone } from "../common/backbone/open.ts";
import { createFiguresBoard } from "../common/metrics/board.ts";
import { addHubMetrics } from "./ops/hub-metrics.ts";
import { addJobMetrics } from "./ops/job-metrics.ts";
import { shared } from "./ops/kept.ts";
import { processFiguresText } from "./ops/process-figures.ts";
import { addRunTimeMetrics } from "./ops/run-time-metrics.ts";
import type { Hub } from "./sse/port.ts";

/** What the database has counted and counts now, and what this api's hub does. */
export const addStageMetrics = (registry: Registry, { db }: Pick<Backbone, "db">, hub: Hub): void => {
  addRunTimeMetrics(registry, () => db.read.runTimes());
  addJobMetrics(registry, () => db.read.jobCounts());
  addHubMetrics(registry, hub);
};

/** What this process and the workers count of themselves. */
export const processMetrics = ({
  name,
  figures,
  redis,
  keys,
}: Pick<Backbone, "name" | "figures" | "redis" | "keys">): (() => Promise<string>) => {
  const board = createFiguresBoard(redis, keys.figures);
  return shared(() =>
    processFiguresText({
      own: async () => ({ process: name, families: await figures.families() }),
      workers: () => board.all(),
    }),
  );
};
