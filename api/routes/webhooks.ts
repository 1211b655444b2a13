import { demand } from "../../common/base/errors.ts";
import {
  DeliveriesQuery,
  type Delivery,
  DeliveryAnswer,
  DeliveryList,
  OpsDeliveriesQuery,
  WebhookAnswer,
  WebhookList,
} from "../../common/contracts/delivery.ts";
import { EmptyBody, type Page } from "../../common/contracts/http.ts";
import {
  CreateWebhookBody,
  type MadeWebhook,
  MadeWebhookAnswer,
  type Webhook,
} from "../../common/contracts/webhook.ts";
import type { SessionStore } from "../../common/sessions/port.ts";
import { operation, type Resource } from "../route.ts";

export interface WebhookRoutesDeps {
  readonly sessions: Pick<SessionStore, "get">;
  /** Throws `address_refused`. */
  readonly checkTarget: (url: string) => void;
  /** Rejects with `session_not_found`, and `conflict` where there are as many as there may be. */
  readonly createWebhook: (sessionId: string, given: CreateWebhookBody) => Promise<MadeWebhook>;
  readonly webhooksOf: (sessionId: string) => Promise<readonly Webhook[]>;
  readonly findWebhook: (id: string) => Promise<Webhook | null>;
  /** False: there is none. */
  readonly deleteWebhook: (id: string) => Promise<boolean>;
  readonly deliveriesOf: (webhookId: string, query: DeliveriesQuery) => Promise<Page<Delivery>>;
  readonly deliveriesIn: (query: OpsDeliveriesQuery) => Promise<Page<Delivery>>;
  readonly findDelivery: (id: string) => Promise<Delivery | null>;
  /** Null: there is none. Rejects with `conflict` for one that has arrived. */
  readonly retryDelivery: (id: string) => Promise<Delivery | null>;
}

const shared = { tag: "Webhooks", access: "protected" } as const;

/** Who is told by HTTP when runs end, and what became of the messages. */
export const webhookRoutes = (deps: WebhookRoutesDeps): readonly Resource[] => [
  {
    ...shared,
    path: "/api/sessions/:id/webhooks",
    methods: {
      get: operation({
        summary: "Webhooks of a session, then those of its newest runs",
        answers: { 200: { description: "At most 100", schema: WebhookList } },
        errors: ["session_not_found"],
        async handle({ param, res }) {
          const session = await deps.sessions.get(param("id"));
          res.json({ data: await deps.webhooksOf(session.id), next_cursor: null });
        },
      }),
      post: operation({
        summary: "Have an address told when runs of a session end",
        description:
          "Messages are signed as the Standard Webhooks specification says. They come at least once, all attempts of one with the same `webhook-id`.",
        body: CreateWebhookBody,
        answers: { 201: { description: "Made; the secret is shown this once", schema: MadeWebhookAnswer } },
        errors: ["session_not_found", "conflict", "address_refused"],
        async handle({ param, body, res }) {
          deps.checkTarget(body.url);
          res.status(201).json(await deps.createWebhook(param("id"), body));
        },
      }),
    },
  },
  {
    ...shared,
    path: "/api/webhooks/:id",
    methods: {
      get: operation({
        summary: "One webhook",
        answers: { 200: { description: "The webhook", schema: WebhookAnswer } },
        errors: ["not_found"],
        handle: async ({ param, res }) =>
          void res.json({ webhook: demand(await deps.findWebhook(param("id")), "webhook") }),
      }),
      delete: operation({
        summary: "Remove a webhook, with everything that waits for it",
        answers: { 204: { description: "Gone" } },
        errors: ["not_found"],
        async handle({ param, res }) {
          if (!(await deps.deleteWebhook(param("id")))) demand(null, "webhook");
          res.status(204).end();
        },
      }),
    },
  },
  {
    ...shared,
    path: "/api/webhooks/:id/deliveries",
    methods: {
      get: operation({
        summary: "What was sent to a webhook, the newest first",
        description: "What arrived is kept for a week, what was given up for a month.",
        query: DeliveriesQuery,
        answers: { 200: { description: "A page", schema: DeliveryList } },
        errors: ["not_found"],
        async handle({ param, query, res }) {
          const { id } = demand(await deps.findWebhook(param("id")), "webhook");
          res.json(await deps.deliveriesOf(id, query));
        },
      }),
    },
  },
  {
    ...shared,
    path: "/api/deliveries/:id",
    methods: {
      get: operation({
        summary: "One message and what became of it",
        answers: { 200: { description: "The delivery", schema: DeliveryAnswer } },
        errors: ["not_found"],
        handle: async ({ param, res }) =>
          void res.json({ delivery: demand(await deps.findDelivery(param("id")), "delivery") }),
      }),
    },
  },
  {
    ...shared,
    path: "/api/deliveries/:id/retry",
    methods: {
      post: operation({
        summary: "Send a message again that was given up, or that waits for its next attempt",
        description:
          "It begins anew, with the same `webhook-id`; a webhook that was switched off is on again.",
        body: EmptyBody,
        answers: { 202: { description: "It is queued, or being sent already", schema: DeliveryAnswer } },
        errors: ["not_found", "conflict"],
        handle: async ({ param, res }) =>
          void res.status(202).json({ delivery: demand(await deps.retryDelivery(param("id")), "delivery") }),
      }),
    },
  },
  {
    path: "/api/ops/deliveries",
    tag: "Operations",
    access: "protected",
    methods: {
      get: operation({
        summary: "Webhook and push messages that were given up, or wait, of all sessions",
        description: "Dead ones the newest first, the others by when they are due.",
        query: OpsDeliveriesQuery,
        answers: { 200: { description: "A page", schema: DeliveryList } },
        handle: async ({ query, res }) => void res.json(await deps.deliveriesIn(query)),
      }),
    },
  },
];
