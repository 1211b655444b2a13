import type { Ops, OpsRun } from "../../../common/contracts/ops.ts";
import { jobUrl, numberText, runsOf, spanText } from "../model/operations.ts";
import { type Listed, ListSection, SessionLink } from "./operations-parts.tsx";

const STATUSES: readonly OpsRun["status"][] = ["queued", "running", "waiting", "cancelling"];

/** Runs that have not ended, page by page: where something is stuck, it is at the top. */
export const Runs = (props: {
  readonly ops: Ops;
  readonly list: Listed<OpsRun>;
  readonly status: OpsRun["status"] | null;
  readonly onFilter: (status: OpsRun["status"] | null) => void;
}) => {
  const { ops, list, status, onFilter } = props;
  const head = ["Run", "Status", "Age", "Attempt", "Worker", "Profile", "Session"];
  return (
    <ListSection
      list={list}
      title="Unfinished runs, the oldest first"
      what="runs"
      head={ops.dashboard === null ? head : [...head, "Job"]}
      all={runsOf(ops, status)}
      row={(run) => <Row key={run.id} run={run} dashboard={ops.dashboard} />}
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
    />
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
