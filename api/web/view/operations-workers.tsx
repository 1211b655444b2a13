import { useState } from "react";
import type { Ops, OpsWorker } from "../../../common/contracts/ops.ts";
import { spanText } from "../model/operations.ts";
import { ConfirmDialog } from "./confirm-dialog.tsx";
import { Section, Table } from "./operations-parts.tsx";

/** Live workers, and the button that makes one stop. */
export const Workers = (props: {
  readonly ops: Ops;
  readonly underway: ReadonlySet<string>;
  readonly onDrain: (name: string) => void;
}) => {
  const { workers, at } = props.ops;
  const [asked, setAsked] = useState<OpsWorker | null>(null);
  const others = (workers ?? []).filter(({ name, draining }) => !draining && name !== asked?.name).length;
  return (
    <Section title="Workers" empty={workers === null ? "Not known without Redis." : "None."}>
      {workers !== null && workers.length > 0 && (
        <Table
          head={[
            "Worker",
            "Version",
            "Work",
            "Profiles",
            "Jobs",
            "Last progress",
            "Running for",
            "Seen",
            "Stop",
          ]}
        >
          {workers.map((worker) => (
            <tr key={worker.name}>
              <th scope="row">
                {worker.name} {worker.draining && <span className="badge">draining</span>}
                {worker.stalled_since !== null && (
                  <span className="badge" data-tone="trouble">
                    stalled for {spanText(at - worker.stalled_since)}
                  </span>
                )}
              </th>
              <td>{worker.version}</td>
              <td className="wraps">{worker.queues.join(", ")}</td>
              <td>{worker.profiles?.join(", ") ?? "all"}</td>
              <td>
                {worker.running} of {worker.concurrency}
              </td>
              <td>
                {worker.last_progress_at === null ? "–" : `${spanText(at - worker.last_progress_at)} ago`}
              </td>
              <td>{spanText(at - worker.started_at)}</td>
              <td>{spanText(at - worker.seen_at)} ago</td>
              <td>
                <button
                  className="button"
                  type="button"
                  aria-label={`Drain ${worker.name}`}
                  aria-disabled={worker.draining || props.underway.has(worker.name)}
                  onClick={() => {
                    if (!worker.draining) setAsked(worker);
                  }}
                >
                  Drain
                </button>
              </td>
            </tr>
          ))}
        </Table>
      )}
      {asked !== null && (
        <ConfirmDialog
          title="Drain this worker?"
          text={`${asked.name} takes no more jobs, gives what runs a moment, hands the rest back and ends. Whoever supervises it may start another one. ${others === 0 ? "No other worker is running: messages wait until there is one." : "Other workers go on with its work."}`}
          action="Drain"
          keep="Leave it"
          onConfirm={() => props.onDrain(asked.name)}
          onClose={() => setAsked(null)}
        />
      )}
    </Section>
  );
};
