import { TalariaError } from "../../common/base/errors.ts";
import { EmptyBody } from "../../common/contracts/http.ts";
import {
  MakeUpdateSummaryBody,
  type UpdateSummary,
  UpdateSummaryAnswer,
  UpdatesAnswer,
} from "../../common/contracts/update.ts";
import type { AskedUpdate } from "../../common/jobs/update-ops.ts";
import { cacheKeyOf } from "../../common/updates/cache-key.ts";
import type { UpdateSource } from "../../common/updates/git-source.ts";
import { operation, type Resource } from "../route.ts";

export interface UpdateRoutesDeps {
  readonly source: UpdateSource;
  /** The profile's exact name. Rejects with `profile_not_found`. */
  readonly demandProfile: (name: string) => Promise<string>;
  /** The text as it is; where it has not ended, its work is in the queue. */
  readonly askUpdateSummary: (asked: AskedUpdate) => Promise<UpdateSummary>;
}

/** What is newer than what runs, and what that brings (background-jobs 3.1). */
export const updateRoutes = (deps: UpdateRoutesDeps): readonly Resource[] => [
  {
    path: "/api/updates",
    tag: "Updates",
    access: "protected",
    methods: {
      get: operation({
        summary: "What is newer than what runs, as far as that is known here",
        description: "Reads the clone that the server runs from; the network is not asked.",
        answers: { 200: { description: "The parts that lack something", schema: UpdatesAnswer } },
        handle: async ({ res }) => void res.json(await deps.source.known()),
      }),
    },
  },
  {
    path: "/api/updates/check",
    tag: "Updates",
    access: "protected",
    methods: {
      post: operation({
        summary: "Ask the upstream what is newer",
        body: EmptyBody,
        answers: { 200: { description: "The parts that lack something", schema: UpdatesAnswer } },
        errors: ["provider_unavailable"],
        async handle({ res }) {
          const found = await deps.source.check().catch((cause: unknown) => {
            // What git says may hold the address with a password in it.
            throw new TalariaError("provider_unavailable", "The upstream did not answer.", { cause });
          });
          res.json(found);
        },
      }),
    },
  },
  {
    path: "/api/updates/summary",
    tag: "Updates",
    access: "protected",
    methods: {
      post: operation({
        summary: "Tell what is new in words",
        description:
          "Ask again until `state` is neither `queued` nor `running`. The same range gives the same text for everyone on the profile; one that had to do without the model is tried again after five minutes.",
        body: MakeUpdateSummaryBody,
        answers: { 200: { description: "The text, or the state of it", schema: UpdateSummaryAnswer } },
        errors: ["profile_not_found", "no_update"],
        async handle({ body, res }) {
          const profile = await deps.demandProfile(body.profile);
          const { targets } = await deps.source.known();
          if (targets.length === 0) throw new TalariaError("no_update", "Nothing newer is known.");
          const asked = { profile, cacheKey: cacheKeyOf(targets), targets };
          res.json({ summary: await deps.askUpdateSummary(asked) });
        },
      }),
    },
  },
];
