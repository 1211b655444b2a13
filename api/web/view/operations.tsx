import { useEffect, useSyncExternalStore } from "react";
import type { Ops } from "../../../common/contracts/ops.ts";
import {
  alarmsOf,
  bytesText,
  numberText,
  type Operations,
  type OperationsList,
  runsOf,
  type Said,
  spanText,
} from "../model/operations.ts";
import { AlertIcon, BackIcon, CloseIcon, WingMark } from "./icons.tsx";
import { LoginForm } from "./login-form.tsx";
import { DeadDeliveries, DeadLetters, FailedJobs } from "./operations-failed.tsx";
import { Section, Table } from "./operations-parts.tsx";
import { Runs } from "./operations-runs.tsx";
import { Workers } from "./operations-workers.tsx";
import { ThemeToggle } from "./theme-toggle.tsx";

/** What whoever operates the server looks at: a page of its own, beside the workbench. */
export const OperationsPage = ({ operations }: { readonly operations: Operations }) => {
  const state = useSyncExternalStore(operations.subscribe, operations.getState);
  const { phase, problem, ops, said } = state;
  const list = <Name extends OperationsList>(name: Name) => ({
    page: state[name],
    onTurn: (to: "next" | "previous") => operations.turn(name, to),
  });
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
        {phase === "ready" && ops !== null && (
          <>
            <Alarms ops={ops} />
            <Figures ops={ops} />
            <Workers ops={ops} underway={state.underway} onDrain={(name) => void operations.drain(name)} />
            <Waiting ops={ops} />
            <DeadLetters
              ops={ops}
              underway={state.underway}
              list={list("letters")}
              onRequeue={operations.requeue}
            />
            <FailedJobs
              ops={ops}
              underway={state.underway}
              list={list("jobs")}
              onRetry={operations.retry}
              onRetryAll={operations.retryAll}
            />
            <DeadDeliveries
              ops={ops}
              underway={state.underway}
              list={list("deliveries")}
              onSendAgain={operations.sendAgain}
            />
            <Runs ops={ops} status={state.status} onFilter={operations.filter} list={list("runs")} />
          </>
        )}
      </main>
      <Result said={said} onClose={operations.closeSaid} />
      {phase === "signed_out" && <LoginForm signIn={operations.signIn} />}
    </div>
  );
};

/** How the last thing went; always there, so that a screen reader hears what comes into it. */
const Result = ({ said, onClose }: { readonly said: Said | null; readonly onClose: () => void }) => (
  <div className="operations-result" role="status">
    {said !== null && (
      <p data-tone={said.tone}>
        {said.tone === "trouble" && <AlertIcon />}
        <span>{said.text}</span>
        {said.sessionId !== undefined && (
          <a href={`/s/${encodeURIComponent(said.sessionId)}`}>Open the session</a>
        )}
        <button className="icon-button" type="button" aria-label="Close" onClick={onClose}>
          <CloseIcon />
        </button>
      </p>
    )}
  </div>
);

const Alarms = ({ ops }: { readonly ops: Ops }) => (
  <div role="status">
    {alarmsOf(ops).map((line) => (
      <p className="operations-alarm" key={line}>
        <AlertIcon /> {line}
      </p>
    ))}
  </div>
);

interface Figure {
  readonly name: string;
  readonly value: string;
  readonly note?: string | undefined;
}

const Figures = ({ ops }: { readonly ops: Ops }) => {
  const { runs, jobs, redis, journals, dead_letters: dead } = ops;
  const oldest = (status: string): string | undefined => {
    const found = runs.find((one) => one.status === status);
    return found === undefined ? undefined : `oldest ${spanText(found.oldest_age_s)}`;
  };
  const figures: readonly Figure[] = [
    {
      name: "Runs running",
      value: numberText(runsOf(ops, "running") + runsOf(ops, "waiting")),
      note: oldest("running") ?? oldest("waiting"),
    },
    { name: "Runs queued", value: numberText(runsOf(ops, "queued")), note: oldest("queued") },
    { name: "Runs stopping", value: numberText(runsOf(ops, "cancelling")), note: oldest("cancelling") },
    { name: "Dead letters", value: dead >= 1_000 ? "1,000 or more" : numberText(dead) },
    { name: "Background jobs", value: numberText(jobs.queued + jobs.running) },
    { name: "Failed jobs", value: numberText(jobs.failed) },
    {
      name: "Redis memory",
      value: redis === null ? "unknown" : bytesText(redis.used_memory_bytes),
      note:
        redis === null || redis.max_memory_bytes === null
          ? undefined
          : `of ${bytesText(redis.max_memory_bytes)}`,
    },
    {
      name: "Journals in Redis",
      value:
        journals === null
          ? "unknown"
          : `${journals.sampled < journals.sessions ? "about " : ""}${bytesText(journals.bytes)}`,
      note:
        journals === null
          ? undefined
          : `${numberText(journals.sessions)} ${journals.sessions === 1 ? "session" : "sessions"}`,
    },
  ];
  return (
    <dl className="operations-figures">
      {figures.map(({ name, value, note }) => (
        <div key={name}>
          <dt>{name}</dt>
          <dd>
            {value}
            {note !== undefined && <small>{note}</small>}
          </dd>
        </div>
      ))}
    </dl>
  );
};

const Waiting = ({ ops: { backlog } }: { readonly ops: Ops }) => (
  <Section title="Waiting" empty={backlog === null ? "Not known without Redis." : "Nothing waits."}>
    {backlog !== null && backlog.length > 0 && (
      <Table head={["Queue", "Profile", "Jobs", "Oldest", "Why"]}>
        {backlog.map((work) => (
          <tr key={`${work.queue} ${work.reason}`}>
            <th scope="row">{work.queue}</th>
            <td>{work.profile}</td>
            <td>{numberText(work.jobs)}</td>
            <td>{spanText(work.waited_s)}</td>
            <td>{work.message}</td>
          </tr>
        ))}
      </Table>
    )}
  </Section>
);
