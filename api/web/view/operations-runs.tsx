import type { Ops, OpsRun } from "../../../common/contracts/ops.ts";
import { jobUrl, type ListPage, numberText, runsOf, spanText } from "../model/operations.ts";
import { Pager, Section, SessionLink, Table, type Turn } from "./operations-parts.tsx";

const STATUSES: readonly OpsRun["status"][] = ["queued", "running", "waiting", "cancelling"];

/** Runs that have not ended, page by page: where something is stuck, it is at the top. */
export const Runs = (props: {
  readonly page: ListPage<OpsRun>;
  readonly ops: Ops;
  readonly status: OpsRun["status"] | null;
  readonly onFilter: (status: OpsRun["status"] | null) => void;
  readonly onTurn: Turn;
}) => {
  const { page, ops, status, onFilter, onTurn } = props;
  const head = ["Run", "Status", "Age", "Attempt", "Worker", "Profile", "Session"];
  return (
    <Section
      title="Unfinished runs, the oldest first"
      empty="None."
      tools={
        <label className="operations-filter">
          Show{" "}
          <select
            value={status ?? ""}
            onChange={({ target }) => onFilter(STATUSES.find((one) => one === target.value) ?? null)}
          >
            <option value="">all ({numberText(runsOf(ops, null))})</option>
            {STATUSES.map((one) => (
              <option key={one} value={one}>
                {one} ({numberText(runsOf(ops, one))})
              </option>
            ))}
          </select>
        </label>
      }
    >
      {(page.items.length > 0 || page.trail.length > 0) && (
        <>
          <Table head={ops.dashboard === null ? head : [...head, "Job"]}>
            {page.items.map((run) => (
              <Row key={run.id} run={run} dashboard={ops.dashboard} />
            ))}
          </Table>
          <Pager page={page} what="runs" all={runsOf(ops, status)} onTurn={onTurn} />
        </>
      )}
    </Section>
  );
};

const Row = ({ run, dashboard }: { readonly run: OpsRun; readonly dashboard: string | null }) => {
  const job = jobUrl(dashboard, run.job);
  return (
    <tr>
      <th scope="row">
        <code>{run.id}</code>
      </th>
      <td>{run.held ? "held back" : run.status}</td>
      <td>{spanText(run.age_s)}</td>
      <td>{run.attempt}</td>
      <td>{run.worker ?? "–"}</td>
      <td>{run.profile}</td>
      <td>
        <SessionLink id={run.session_id} />
      </td>
      {dashboard !== null && (
        <td>
          {job === null ? (
            "–"
          ) : (
            <a href={job} aria-label={`Look at the job of ${run.id}`}>
              look
            </a>
          )}
        </td>
      )}
    </tr>
  );
};
