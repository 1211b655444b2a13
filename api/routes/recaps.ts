import { TalariaError } from "../../common/base/errors.ts";
import { type Job, JobAnswer } from "../../common/contracts/job.ts";
import {
  MakeRecapBody,
  OFFER_FROM_ROUNDS,
  type RecapKind,
  RecapOfferAnswer,
  RecapOfferQuery,
} from "../../common/contracts/recap.ts";
import { createRoundCounter } from "../../common/recaps/rounds.ts";
import { saidIn } from "../../common/recaps/said.ts";
import type { SessionStore } from "../../common/sessions/port.ts";
import type { Transcripts } from "../../common/transcript/port.ts";
import { operation, type Resource } from "../route.ts";

export interface RecapRoutesDeps {
  readonly sessions: Pick<SessionStore, "get">;
  readonly transcripts: Pick<Transcripts, "newestFirst">;
  /** Makes the job, or finds the one that is about the same message; null: the session is gone. */
  readonly putRecap: (sessionId: string, kind: RecapKind, after: string) => Promise<Job | null>;
}

/** Messages among which something said, or the rounds since a visit, are looked for. */
const LOOK_AT = 1_000;

/** What a conversation was about (background-jobs 3.2). */
export const recapRoutes = ({ sessions, transcripts, putRecap }: RecapRoutesDeps): readonly Resource[] => [
  {
    path: "/api/sessions/:id/recap",
    tag: "Jobs",
    access: "protected",
    methods: {
      get: operation({
        summary: "Whether so much was said since the last visit that a recap is offered",
        description: `From ${OFFER_FROM_ROUNDS} complete rounds on; what a person writes several times in a row is one. Reads no more messages than that takes.`,
        query: RecapOfferQuery,
        answers: { 200: { description: "How much it was", schema: RecapOfferAnswer } },
        errors: ["session_not_found"],
        async handle(call) {
          const session = await sessions.get(call.param("id"));
          const counter = createRoundCounter();
          let left = Math.min(call.query.unread ?? session.unread_count, LOOK_AT);
          if (left > 0)
            for await (const { message } of transcripts.newestFirst(session.id)) {
              counter.add(message);
              if (--left === 0 || counter.rounds >= OFFER_FROM_ROUNDS) break;
            }
          const { rounds } = counter;
          call.res.json({ rounds, offered: rounds >= OFFER_FROM_ROUNDS });
        },
      }),
      post: operation({
        summary: "Tell what the conversation was about, on a card behind its last message",
        description:
          "The card comes with the job (`result.recap`) and with the messages (`recaps`). It is no message and no model is told of it. Asking again without new messages finds the same card.",
        body: MakeRecapBody,
        answers: { 202: { description: "It is queued, running or done already", schema: JobAnswer } },
        errors: ["session_not_found", "nothing_to_recap"],
        async handle(call) {
          const { id } = await sessions.get(call.param("id"));
          const after = await lastMessage(transcripts, id);
          if (after === null) throw new TalariaError("nothing_to_recap", "Nothing has been said yet.");
          const job = await putRecap(id, call.body.kind, after);
          if (job === null) throw new TalariaError("session_not_found", "There is no such session.");
          call.res.status(202).json({ job });
        },
      }),
    },
  },
];

/** The id of the last message; null where nothing was said. */
const lastMessage = async (
  transcripts: Pick<Transcripts, "newestFirst">,
  sessionId: string,
): Promise<string | null> => {
  let last: string | null = null;
  let seen = 0;
  for await (const { message } of transcripts.newestFirst(sessionId)) {
    last ??= message.id;
    if (saidIn(message) !== null) return last;
    if (++seen >= LOOK_AT) break;
  }
  return null;
};
