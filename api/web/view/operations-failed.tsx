import type { Delivery } from "../../../common/contracts/delivery.ts";
import type { Job } from "../../../common/contracts/job.ts";
import type { DeadLetter, Ops } from "../../../common/contracts/ops.ts";
import { spanText } from "../model/operations.ts";
import { type Listed, ListSection, RowButton, SessionLink } from "./operations-parts.tsx";

interface ListProps<T> {
  readonly ops: Ops;
  readonly underway: ReadonlySet<string>;
  readonly list: Listed<T>;
}

/** Runs that failed for a reason that was not their message's. */
export const DeadLetters = ({
  ops,
  underway,
  list,
  onRequeue,
}: ListProps<DeadLetter> & { readonly onRequeue: (letter: DeadLetter) => Promise<void> }) => (
  <ListSection
    list={list}
    title="Dead letters of the last days"
    what="dead letters"
    head={["Run", "Why", "Attempts", "Ended", "Profile", "Session", "Again"]}
    row={(letter) => (
      <tr key={letter.id}>
        <th scope="row">
          <code>{letter.id}</code>
        </th>
        <td>{letter.code}</td>
        <td>{letter.attempt}</td>
        <td>{spanText(ops.at - letter.ended_at)} ago</td>
        <td>{letter.profile}</td>
        <td>
          <SessionLink id={letter.session_id} />
        </td>
        <td>
          <RowButton about={letter.id} busy={underway.has(letter.id)} onPress={() => onRequeue(letter)}>
            Requeue
          </RowButton>
        </td>
      </tr>
    )}
  />
);

/** Background jobs that failed; all of a kind can be asked for at once. */
export const FailedJobs = ({
  ops,
  underway,
  list,
  onRetry,
  onRetryAll,
}: ListProps<Job> & {
  readonly onRetry: (job: Job) => Promise<void>;
  readonly onRetryAll: (kind: Job["kind"]) => Promise<void>;
}) => (
  <ListSection
    list={list}
    title="Failed background jobs of the last days"
    tools={[...new Set(list.page.items.map(({ kind }) => kind))].map((kind) => (
      <RowButton
        key={kind}
        about={kind}
        busy={underway.has(`all ${kind}`)}
        onPress={() => onRetryAll(kind)}
      >{`Do all again (${kind})`}</RowButton>
    ))}
    what="jobs"
    head={["Job", "Why", "Attempts", "Failed", "Profile", "Session", "Again"]}
    row={(job) => (
      <tr key={job.id}>
        <th scope="row">{job.kind}</th>
        <td>{job.reason ?? "–"}</td>
        <td>{job.attempt}</td>
        <td>{spanText(ops.at - (job.ended_at ?? ops.at))} ago</td>
        <td>{job.profile}</td>
        <td>
          <SessionLink id={job.session_id} />
        </td>
        <td>
          <RowButton about={job.id} busy={underway.has(job.id)} onPress={() => onRetry(job)}>
            Do again
          </RowButton>
        </td>
      </tr>
    )}
  />
);

/** Webhook and push messages that nobody took. */
export const DeadDeliveries = ({
  ops,
  underway,
  list,
  onSendAgain,
}: ListProps<Delivery> & { readonly onSendAgain: (delivery: Delivery) => Promise<void> }) => (
  <ListSection
    list={list}
    title="Webhook and push messages that were given up"
    what="messages"
    head={["Message", "To", "Event", "Why", "Tries", "Given up", "Session", "Again"]}
    row={(one) => (
      <tr key={one.id}>
        <th scope="row">
          <code>{one.id}</code>
        </th>
        <td>{one.webhook_id === null ? "a browser" : "a webhook"}</td>
        <td>{one.event}</td>
        <td>
          {one.reason} {one.http_status !== null && `(${one.http_status})`}
        </td>
        <td>{one.tries}</td>
        <td>{spanText(ops.at - (one.ended_at ?? ops.at))} ago</td>
        <td>
          <SessionLink id={one.session_id} />
        </td>
        <td>
          <RowButton about={one.id} busy={underway.has(one.id)} onPress={() => onSendAgain(one)}>
            Send again
          </RowButton>
        </td>
      </tr>
    )}
  />
);
