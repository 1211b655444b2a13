import type { Response } from "express";
import { TalariaError } from "../../common/base/errors.ts";
import {
  PushAnswer,
  type PushBrowser,
  PushBrowserAnswer,
  PushBrowserList,
  PushSubscriptionBody,
} from "../../common/contracts/push.ts";
import { principalIn } from "../middleware/auth.ts";
import { operation, type Resource } from "../route.ts";

export interface PushRoutesDeps {
  /** `applicationServerKey`. */
  readonly publicKey: string;
  /** Throws `address_refused`. */
  readonly checkService: (endpoint: string) => void;
  /** Rejects with `conflict` where there are as many as there may be. */
  readonly putSubscription: (owner: string, given: PushSubscriptionBody) => Promise<PushBrowser>;
  readonly subscriptionsOf: (owner: string) => Promise<readonly PushBrowser[]>;
  /** False: the owner has none of that id. */
  readonly deleteSubscription: (owner: string, id: string) => Promise<boolean>;
}

const shared = { tag: "Push", access: "protected" } as const;

/** Browsers that are told by Web Push; each belongs to the login that it was made with, and ends with it. */
export const pushRoutes = (deps: PushRoutesDeps): readonly Resource[] => [
  {
    ...shared,
    path: "/api/push",
    methods: {
      get: operation({
        summary: "The key that browsers subscribe to",
        answers: {
          200: { description: "The same for as long as this server's home is", schema: PushAnswer },
        },
        handle: ({ res }) => void res.json({ public_key: deps.publicKey }),
      }),
    },
  },
  {
    ...shared,
    path: "/api/push/subscriptions",
    methods: {
      get: operation({
        summary: "Browsers of this login that are told",
        answers: { 200: { description: "All of them", schema: PushBrowserList } },
        handle: async ({ res }) =>
          void res.json({ data: await deps.subscriptionsOf(ownerOf(res)), next_cursor: null }),
      }),
      post: operation({
        summary: "Tell this browser when runs end or need an answer",
        description: "The body is what `PushSubscription.toJSON()` gives. Saying it again changes nothing.",
        body: PushSubscriptionBody,
        answers: { 201: { description: "It is told from now on", schema: PushBrowserAnswer } },
        errors: ["forbidden", "conflict", "address_refused"],
        async handle({ body, res }) {
          const owner = ownerOf(res);
          deps.checkService(body.endpoint);
          res.status(201).json({ subscription: await deps.putSubscription(owner, body) });
        },
      }),
    },
  },
  {
    ...shared,
    path: "/api/push/subscriptions/:id",
    methods: {
      delete: operation({
        summary: "Tell this browser nothing more",
        answers: { 204: { description: "Gone" } },
        errors: ["not_found", "forbidden"],
        async handle({ param, res }) {
          if (!(await deps.deleteSubscription(ownerOf(res), param("id"))))
            throw new TalariaError("not_found", "There is no such subscription.");
          res.status(204).end();
        },
      }),
    },
  },
];

/** A token is no browser, and nobody would take its subscriptions back when it is replaced. */
const ownerOf = (res: Response): string => {
  const principal = principalIn(res);
  if (principal === null || principal.kind === "token")
    throw new TalariaError("forbidden", "Push messages belong to the login of a browser.");
  return principal.id;
};
