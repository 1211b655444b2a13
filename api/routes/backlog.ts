import { type Backlog, BacklogList } from "../../common/contracts/backlog.ts";
import { operation, type Resource } from "../route.ts";

/** What waits for a worker, and why. */
export const backlogRoutes = (deps: {
  readonly backlog: () => Promise<readonly Backlog[]>;
}): readonly Resource[] => [
  {
    path: "/api/backlog",
    tag: "Process",
    access: "protected",
    methods: {
      get: operation({
        summary: "Work that nobody has begun, and why",
        description: "`alarm` is true where somebody should look: `/readyz` then names it, too.",
        answers: { 200: { description: "By queue; empty when all is well", schema: BacklogList } },
        handle: async ({ res }) => void res.json({ data: await deps.backlog(), next_cursor: null }),
      }),
    },
  },
];
