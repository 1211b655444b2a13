import type { Process } from "../../../common/contracts/process.ts";
import { runningProcesses } from "../model/processes.ts";
import { useWorkbench } from "./use-workbench.ts";

/** What the session has running in the background; nothing when there is none. */
export const ProcessStrip = ({ processes }: { readonly processes: readonly Process[] }) => {
  const workbench = useWorkbench();
  const running = runningProcesses(processes);
  if (running.length === 0) return null;
  return (
    <ul className="process-strip" aria-label="Running in the background">
      {running.map(({ id, command, kill_requested }) => (
        <li key={id}>
          <span className="spinner small" aria-hidden="true" />
          <code title={command}>{command}</code>
          <button
            className="link-button underlined"
            type="button"
            disabled={kill_requested}
            aria-label={`End the process ${command}`}
            onClick={() => workbench.killProcess(id)}
          >
            {kill_requested ? "Ending…" : "End"}
          </button>
        </li>
      ))}
    </ul>
  );
};
