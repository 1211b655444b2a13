import { createHash } from "node:crypto";
import { z } from "zod";
import { TalariaError } from "../../common/base/errors.ts";
import {
  EmptyBody,
  IdempotencyKeySchema,
  ListRunsQuery,
  RunAnswer,
  RunList,
  StartRunAnswer,
  StartRunBody,
} from "../../common/contracts/http.ts";
import { IdSchema } from "../../common/contracts/ids.ts";
import type { Run } from "../../common/contracts/run.ts";
import { type Journal, runCursor } from "../../common/journal/port.ts";
import type { RunControl } from "../../common/lifecycle/port.ts";
import type { RunStore } from "../../common/runs/port.ts";
import type { Metrics } from "../ops/metrics.ts";
import { type Call, operation, parse, type Resource } from "../route.ts";
import type { ProfileNaming } from "./profiles.ts";
import { orWithoutRedis, sessionId } from "./sessions.ts";

export interface RunRoutesDeps {
  readonly runs: RunStore;
  readonly journal: Journal;
  readonly control: RunControl;
  readonly metrics: Metrics;
  readonly profiles: Pick<ProfileNaming, "asNamed">;
}

/** Starting, reading and stopping runs (native-api "Runs"). */
export const runRoutes = (deps: RunRoutesDeps): readonly Resource[] => {
  const { runs, journal, control, metrics, profiles } = deps;

  /** Fills in what only the journal knows. */
  const withCursor = async (run: Run): Promise<Run> => {
    const span = await orWithoutRedis(
      () => journal.span(run.session_id, run.id),
      () => null,
    );
    if (span === null) return run;
    const { lastRunSeq: runSeq, lastGeneration: generation, lastAttempt: attempt } = span;
    return { ...run, last_event_id: runCursor({ runSeq, generation, attempt }, run.id) };
  };

  const start: Resource = {
    path: "/api/sessions/:id/runs",
    tag: "Runs",
    access: "protected",
    methods: {
      post: operation({
        summary: "Send a message: start a run",
        description:
          "The run is durable when this answers. A repeat with the same `Idempotency-Key` and body answers with the same run for 48 hours.",
        headers: z.object({ "idempotency-key": IdempotencyKeySchema.optional() }),
        body: StartRunBody,
        answers: { 202: { description: "Accepted", schema: StartRunAnswer } },
        errors: [
          "session_not_found",
          "session_busy",
          "idempotency_mismatch",
          "on_busy_unsupported",
          "attachments_unsupported",
          "storage_full",
        ],
        async handle(call) {
          const { body, req, res } = call;
          const { run, replayed } = await runs.accept({
            sessionId: sessionId(call),
            text: textOf(body),
            model: body.model ?? null,
            onBusy: supportedOnBusy(body.on_busy),
            recovery: body.recovery,
            idempotency: idempotencyOf(req.headers["idempotency-key"], body),
            traceparent: req.get("traceparent") ?? null,
          });
          if (!replayed) metrics.runsAccepted.inc();
          const address = `/api/runs/${run.id}`;
          res
            .status(202)
            .location(address)
            .json({ run, events_url: `${address}/events` });
        },
      }),
    },
  };

  const list: Resource = {
    path: "/api/runs",
    tag: "Runs",
    access: "protected",
    methods: {
      get: operation({
        summary: "List runs, newest first",
        query: ListRunsQuery,
        answers: { 200: { description: "A page of runs", schema: RunList } },
        async handle({ query, res }) {
          const { data, next_cursor } = await runs.list(await profiles.asNamed(query));
          res.json({ data: await Promise.all(data.map(withCursor)), next_cursor });
        },
      }),
    },
  };

  const one: Resource = {
    path: "/api/runs/:id",
    tag: "Runs",
    access: "protected",
    methods: {
      get: operation({
        summary: "One run",
        answers: { 200: { description: "The run", schema: RunAnswer } },
        errors: ["run_not_found"],
        handle: async (call) => void call.res.json({ run: await withCursor(await runs.get(runId(call))) }),
      }),
    },
  };

  const cancel: Resource = {
    path: "/api/runs/:id/cancel",
    tag: "Runs",
    access: "protected",
    methods: {
      post: operation({
        summary: "Stop a run",
        description:
          "Works on a queued run, on a running one, twice, and after the end (then nothing changes).",
        body: EmptyBody,
        answers: {
          202: { description: "The run is being stopped, or was stopped before it began", schema: RunAnswer },
          200: { description: "The run had ended before", schema: RunAnswer },
        },
        errors: ["run_not_found"],
        async handle(call) {
          const { run, ended } = await control.cancel(runId(call));
          call.res.status(ended ? 200 : 202).json({ run: await withCursor(run) });
        },
      }),
    },
  };

  return [start, list, one, cancel];
};

/** The id in the path; see `sessionId`. */
export const runId = ({ param }: Pick<Call<unknown, unknown>, "param">): string => {
  const id = param("id");
  if (!IdSchema.safeParse(id).success) throw new TalariaError("run_not_found", "There is no run of that id.");
  return id;
};

const supportedOnBusy = (mode: StartRunBody["on_busy"]): "reject" | "queue" => {
  if (mode === "reject" || mode === "queue") return mode;
  throw new TalariaError("on_busy_unsupported", 'This server knows "reject" and "queue" for on_busy.');
};

const textOf = ({ input, attachments }: StartRunBody): string => {
  if (attachments !== undefined && attachments.length > 0) throw noAttachments();
  if (typeof input === "string") return input;
  const text = input
    .map((part) => {
      if (part.type === "file") throw noAttachments();
      return part.text;
    })
    .join("\n");
  if (text !== "") return text;
  throw new TalariaError("invalid_request", "The body of the request is not valid.", {
    details: [{ path: "input", message: "holds no text" }],
  });
};

const noAttachments = (): TalariaError =>
  new TalariaError("attachments_unsupported", "This server does not take files with a message yet.");

/** The key of a request with a hash of what it asks for; null without one. Throws `invalid_request`. */
export const idempotencyOf = (
  header: string | string[] | undefined,
  body: unknown,
): { readonly key: string; readonly bodyHash: string } | null =>
  header === undefined
    ? null
    : {
        key: parse(IdempotencyKeySchema, header, "Idempotency-Key header"),
        bodyHash: createHash("sha256").update(canonicalJson(body)).digest("hex"),
      };

/** JSON with sorted keys: two bodies that mean the same have the same text. */
const canonicalJson = (value: unknown): string =>
  JSON.stringify(value, (_key, item: unknown) =>
    typeof item === "object" && item !== null && !Array.isArray(item)
      ? Object.fromEntries(Object.entries(item).sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0)))
      : item,
  );
