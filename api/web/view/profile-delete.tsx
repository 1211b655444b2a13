import { useState } from "react";
import type { ProfileView } from "../../../common/contracts/profile.ts";
import type { Session } from "../../../common/contracts/session.ts";
import { type Problem, problemText } from "../model/problem.ts";
import { ConfirmDialog } from "./confirm-dialog.tsx";
import { Refusal } from "./refusal.tsx";
import { useCommand } from "./use-command.ts";
import { useWorkbench } from "./use-workbench.ts";

/** The end of a profile, after a question that says what goes with it. The default one has none. */
export const DeleteProfile = (props: {
  readonly profile: ProfileView;
  readonly sessions: number;
  readonly active: readonly Session[];
}) => {
  const { profile } = props;
  const workbench = useWorkbench();
  const [asking, setAsking] = useState(false);
  const { busy, problem, run } = useCommand();
  if (profile.is_default)
    return <p className="field-hint">The default profile is the home itself and cannot be deleted.</p>;

  return (
    <section className="profile-delete" aria-label="Delete">
      <button className="button danger-line" type="button" disabled={busy} onClick={() => setAsking(true)}>
        {busy ? "Deleting…" : "Delete this profile…"}
      </button>
      {problem !== null && (
        <Refusal problem={problem} text={refusalText(problem)}>
          {problem.code === "profile_busy" && props.active.length > 0 && (
            <ul>
              {props.active.map(({ id, title }) => (
                <li key={id}>
                  <a href={`/s/${id}`} target="_blank" rel="noreferrer">
                    {title ?? "Untitled session"}
                  </a>
                </li>
              ))}
            </ul>
          )}
        </Refusal>
      )}
      {asking && (
        <ConfirmDialog
          title={`Delete the profile “${profile.display_name}”?`}
          text={`${sessionsText(props.sessions)} Its folder is removed with its keys, instructions, memories, skills and its state.db.`}
          action="Delete"
          onConfirm={() => void run(() => workbench.profiles.remove(profile.name))}
          onClose={() => setAsking(false)}
        />
      )}
    </section>
  );
};

const sessionsText = (count: number): string => {
  if (count === 0) return "No session belongs to it.";
  return count === 1 ? "Its one session goes with it." : `Its ${count} sessions go with it.`;
};

const refusalText = (problem: Problem): string => {
  if (problem.code !== "profile_busy") return problemText(problem);
  const runs = problem.runs === 1 ? "1 run is" : problem.runs > 1 ? `${problem.runs} runs are` : "Runs are";
  return `Not deleted: ${runs} active in its sessions. Stop what is at work, or wait for its end.`;
};
