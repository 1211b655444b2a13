import { type ReactNode, useEffect, useSyncExternalStore } from "react";
import type { Delivery } from "../../../common/contracts/delivery.ts";
import type { Job } from "../../../common/contracts/job.ts";
import type { Ops, OpsRun } from "../../../common/contracts/ops.ts";
import {
  alarmsOf,
  bytesText,
  type ListPage,
  OPERATIONS_PAGE,
  type Operations,
  placeText,
  spanText,
} from "../model/operations.ts";
import { AlertIcon, BackIcon, WingMark } from "./icons.tsx";
import { ThemeToggle } from "./theme-toggle.tsx";

/** What whoever operates the server looks at: a page of its own, beside the workbench. */
export const OperationsPage = ({ operations }: { readonly operations: Operations }) => {
  const { phase, problem, ops, runs, jobs, deliveries } = useSyncExternalStore(
    operations.subscribe,
    operations.getState,
  );
  useEffect(() => {
    document.title = "Operations · Talaria";
  }, []);
  return (
    <div className="operations">
      <header className="operations-head">
        <a className="icon-button" href="/" aria-label="Back to the sessions">
          <BackIcon />
        </a>
        <WingMark />
        <h1>Operations</h1>
        <ThemeToggle />
      </header>
      <main>
        {problem !== null && (
          <p className="operations-alarm" role="status">
            <AlertIcon /> {ops === null ? problem : `What is shown is old. ${problem}`}
          </p>
        )}
        {phase === "loading" && problem === null && <p role="status">Loading…</p>}
        {phase === "signed_out" && (
          <p role="status">
            <a href="/">Sign in</a> first, then come back.
          </p>
        )}
        {phase === "ready" && ops !== null && (
          <>
            <Alarms ops={ops} />
            <Figures ops={ops} />
            <Workers ops={ops} />
            <Waiting ops={ops} />
            <Runs page={runs} onTurn={(to) => operations.turn("runs", to)} />
            <FailedJobs
              page={jobs}
              at={ops.at}
              onTurn={(to) => operations.turn("jobs", to)}
              onRetry={(id) => void operations.retry(id)}
            />
            <DeadDeliveries
              page={deliveries}
              at={ops.at}
              onTurn={(to) => operations.turn("deliveries", to)}
              onRetry={(id) => void operations.sendAgain(id)}
            />
          </>
        )}
      </main>
    </div>
  );
};

const Alarms = ({ ops }: { readonly ops: Ops }) => (
  <div role="status">
    {alarmsOf(ops).map((line) => (
      <p className="operations-alarm" key={line}>
        <AlertIcon /> {line}
      </p>
    ))}
  </div>
);

const Figures = ({ ops: { runs, jobs, redis } }: { readonly ops: Ops }) => {
  const of = (status: string): number => runs.find((one) => one.status === status)?.runs ?? 0;
  const figures: readonly (readonly [string, string | number])[] = [
    ["Runs running", of("running") + of("waiting")],
    ["Runs queued", of("queued")],
    ["Runs stopping", of("cancelling")],
    ["Background jobs", jobs.queued + jobs.running],
    ["Failed jobs", jobs.failed],
    ["Redis memory", redis === null ? "unknown" : bytesText(redis.used_memory_bytes)],
  ];
  return (
    <dl className="operations-figures">
      {figures.map(([name, value]) => (
        <div key={name}>
          <dt>{name}</dt>
          <dd>{value}</dd>
        </div>
      ))}
    </dl>
  );
};

const Workers = ({ ops: { workers, at } }: { readonly ops: Ops }) => (
  <Section title="Workers" empty={workers === null ? "Not known without Redis." : "None."}>
    {workers !== null && workers.length > 0 && (
      <Table head={["Worker", "Version", "Work", "Profiles", "Jobs", "Running for", "Seen"]}>
        {workers.map((worker) => (
          <tr key={worker.name}>
            <th scope="row">
              {worker.name} {worker.draining && <span className="badge">stopping</span>}
            </th>
            <td>{worker.version}</td>
            <td>{worker.queues.join(", ")}</td>
            <td>{worker.profiles?.join(", ") ?? "all"}</td>
            <td>
              {worker.running} of {worker.concurrency}
            </td>
            <td>{spanText(at - worker.started_at)}</td>
            <td>{spanText(at - worker.seen_at)} ago</td>
          </tr>
        ))}
      </Table>
    )}
  </Section>
);

const Waiting = ({ ops: { backlog } }: { readonly ops: Ops }) => (
  <Section title="Waiting" empty={backlog === null ? "Not known without Redis." : "Nothing waits."}>
    {backlog !== null && backlog.length > 0 && (
      <Table head={["Queue", "Profile", "Jobs", "Oldest", "Why"]}>
        {backlog.map((work) => (
          <tr key={`${work.queue} ${work.reason}`}>
            <th scope="row">{work.queue}</th>
            <td>{work.profile}</td>
            <td>{work.jobs}</td>
            <td>{spanText(work.waited_s)}</td>
            <td>{work.message}</td>
          </tr>
        ))}
      </Table>
    )}
  </Section>
);

type Turn = (to: "next" | "previous") => void;

const Runs = ({ page, onTurn }: { readonly page: ListPage<OpsRun>; readonly onTurn: Turn }) => (
  <Section title="Unfinished runs, the oldest first" empty="None.">
    {(page.items.length > 0 || page.trail.length > 0) && (
      <>
        <Table head={["Run", "Status", "Age", "Attempt", "Worker", "Profile", "Session"]}>
          {page.items.map((run) => (
            <tr key={run.id}>
              <th scope="row">
                <code>{run.id}</code>
              </th>
              <td>{run.held ? "held back" : run.status}</td>
              <td>{spanText(run.age_s)}</td>
              <td>{run.attempt}</td>
              <td>{run.worker ?? "–"}</td>
              <td>{run.profile}</td>
              <td>
                <a href={`/s/${encodeURIComponent(run.session_id)}`}>open</a>
              </td>
            </tr>
          ))}
        </Table>
        <Pager page={page} what="runs" onTurn={onTurn} />
      </>
    )}
  </Section>
);

const FailedJobs = (props: {
  readonly page: ListPage<Job>;
  readonly at: number;
  readonly onTurn: Turn;
  readonly onRetry: (id: string) => void;
}) => (
  <Section title="Failed background jobs of the last days" empty="None.">
    {(props.page.items.length > 0 || props.page.trail.length > 0) && (
      <>
        <Table head={["Job", "Why", "Attempts", "Failed", "Profile", "Session", "Again"]}>
          {props.page.items.map((job) => (
            <tr key={job.id}>
              <th scope="row">{job.kind}</th>
              <td>{job.reason ?? "–"}</td>
              <td>{job.attempt}</td>
              <td>{spanText(props.at - (job.ended_at ?? props.at))} ago</td>
              <td>{job.profile}</td>
              <td>
                <a href={`/s/${encodeURIComponent(job.session_id)}`}>open</a>
              </td>
              <td>
                <button className="button" type="button" onClick={() => props.onRetry(job.id)}>
                  Do again
                </button>
              </td>
            </tr>
          ))}
        </Table>
        <Pager page={props.page} what="jobs" onTurn={props.onTurn} />
      </>
    )}
  </Section>
);

const DeadDeliveries = (props: {
  readonly page: ListPage<Delivery>;
  readonly at: number;
  readonly onTurn: Turn;
  readonly onRetry: (id: string) => void;
}) => (
  <Section title="Webhook and push messages that were given up" empty="None.">
    {(props.page.items.length > 0 || props.page.trail.length > 0) && (
      <>
        <Table head={["Message", "To", "Event", "Why", "Tries", "Given up", "Session", "Again"]}>
          {props.page.items.map((one) => (
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
              <td>{spanText(props.at - (one.ended_at ?? props.at))} ago</td>
              <td>
                <a href={`/s/${encodeURIComponent(one.session_id)}`}>open</a>
              </td>
              <td>
                <button className="button" type="button" onClick={() => props.onRetry(one.id)}>
                  Send again
                </button>
              </td>
            </tr>
          ))}
        </Table>
        <Pager page={props.page} what="messages" onTurn={props.onTurn} />
      </>
    )}
  </Section>
);

const Section = (props: { readonly title: string; readonly empty: string; readonly children: ReactNode }) => (
  <section aria-label={props.title}>
    <h2>{props.title}</h2>
    {props.children || <p className="operations-empty">{props.empty}</p>}
  </section>
);

/** Wide tables scroll by themselves; with the keyboard, too. */
const Table = ({ head, children }: { readonly head: readonly string[]; readonly children: ReactNode }) => (
  // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reachable by keyboard
  <div className="operations-table" tabIndex={0}>
    <table>
      <thead>
        <tr>
          {head.map((name) => (
            <th scope="col" key={name}>
              {name}
            </th>
          ))}
        </tr>
      </thead>
      <tbody>{children}</tbody>
    </table>
  </div>
);

const Pager = (props: { readonly page: ListPage<unknown>; readonly what: string; readonly onTurn: Turn }) => {
  const { page, what, onTurn } = props;
  if (page.trail.length === 0 && page.next === null) return null;
  return (
    <nav className="operations-pager" aria-label={`Pages of ${what}`}>
      <button
        className="button"
        type="button"
        disabled={page.trail.length === 0}
        onClick={() => onTurn("previous")}
      >
        Previous
      </button>
      <span role="status">{placeText(page, OPERATIONS_PAGE)}</span>
      <button className="button" type="button" disabled={page.next === null} onClick={() => onTurn("next")}>
        Next
      </button>
    </nav>
  );
};
