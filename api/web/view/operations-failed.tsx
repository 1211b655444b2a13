import type { Job } from "../../../common/contracts/job.ts";
import type { DeadLetter, Ops } from "../../../common/contracts/ops.ts";
import { type ListPage, spanText } from "../model/operations.ts";
import { Pager, RowButton, Section, SessionLink, Table, type Turn } from "./operations-parts.tsx";

interface ListProps<T> {
  readonly page: ListPage<T>;
  readonly ops: Ops;
  readonly underway: ReadonlySet<string>;
  readonly onTurn: Turn;
}

/** Runs that failed for a reason that was not their message's. */
export const DeadLetters = ({
  page,
  ops,
  underway,
  onTurn,
  onRequeue,
}: ListProps<DeadLetter> & { readonly onRequeue: (letter: DeadLetter) => Promise<void> }) => (
  <Section title="Dead letters of the last days" empty="None.">
    {(page.items.length > 0 || page.trail.length > 0) && (
      <>
        <Table head={["Run", "Why", "Attempts", "Ended", "Profile", "Session", "Again"]}>
          {page.items.map((letter) => (
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
          ))}
        </Table>
        <Pager page={page} what="dead letters" all={null} onTurn={onTurn} />
      </>
    )}
  </Section>
);

/** Background jobs that failed; all of a kind can be asked for at once. */
export const FailedJobs = ({
  page,
  ops,
  underway,
  onTurn,
  onRetry,
  onRetryAll,
}: ListProps<Job> & {
  readonly onRetry: (job: Job) => Promise<void>;
  readonly onRetryAll: (kind: Job["kind"]) => Promise<void>;
}) => (
  <Section
    title="Failed background jobs of the last days"
    empty="None."
    tools={[...new Set(page.items.map(({ kind }) => kind))].map((kind) => (
      <RowButton
        key={kind}
        about={kind}
        busy={underway.has(`all ${kind}`)}
        onPress={() => onRetryAll(kind)}
      >{`Do all again (${kind})`}</RowButton>
    ))}
  >
    {(page.items.length > 0 || page.trail.length > 0) && (
      <>
        <Table head={["Job", "Why", "Attempts", "Failed", "Profile", "Session", "Again"]}>
          {page.items.map((job) => (
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
          ))}
        </Table>
        <Pager page={page} what="jobs" all={null} onTurn={onTurn} />
      </>
    )}
  </Section>
);
