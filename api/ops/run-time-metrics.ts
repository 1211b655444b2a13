import type { Registry } from "prom-client";
import { TERMINAL_STATUSES } from "../../common/contracts/run.ts";
import { RUN_STAGES, STAGE_BOUNDS_S, type StageCount } from "../../common/runs/stages.ts";
import { readMetric, type Sample } from "./read-metric.ts";

const NAME = "talaria_run_stage_seconds";

/**
 * How long the stages of ended runs took, as the database has counted them: the same whichever api is asked, and nothing is lost or
 * counted twice when processes end. All series are there from the start, so that the first run is seen by `rate`, too.
 */
export const addRunTimeMetrics = (registry: Registry, counts: () => Promise<readonly StageCount[]>): void =>
  readMetric(
    registry,
    { name: NAME, type: "histogram", help: "Time that ended runs spent in each stage, by outcome" },
    async () => {
      const known = await counts();
      return RUN_STAGES.flatMap((stage) =>
        TERMINAL_STATUSES.flatMap((outcome) =>
          histogram(
            { stage, outcome },
            known.filter((count) => count.stage === stage && count.outcome === outcome),
          ),
        ),
      );
    },
  );

/** Buckets count up. Bounds that an older version used stay bounds. */
const histogram = (labels: Record<string, string>, counts: readonly StageCount[]): readonly Sample[] => {
  const bounds = [...new Set([...STAGE_BOUNDS_S, ...counts.map(({ le }) => le), Infinity])].sort(
    (a, b) => a - b,
  );
  const upTo = (bound: number): number => counts.reduce((sum, { le, n }) => sum + (le <= bound ? n : 0), 0);
  return [
    ...bounds.map((bound) => ({
      metricName: `${NAME}_bucket`,
      labels: { ...labels, le: Number.isFinite(bound) ? bound : "+Inf" },
      value: upTo(bound),
    })),
    { metricName: `${NAME}_sum`, labels, value: counts.reduce((sum, { seconds }) => sum + seconds, 0) },
    { metricName: `${NAME}_count`, labels, value: upTo(Infinity) },
  ];
};
