import { useEffect, useRef, useState } from "react";
import type { ProfileSummary } from "../../../common/contracts/profile.ts";
import { type Problem, problemText, sentence } from "../model/problem.ts";
import { displayNameFault, nameFault, profileLabel } from "../model/profiles.ts";
import { Field } from "./field.tsx";
import { Refusal } from "./refusal.tsx";
import { useUnsaved } from "./unsaved.ts";
import { useCommand } from "./use-command.ts";
import { useWorkbench } from "./use-workbench.ts";

const SHOWN: ReadonlySet<string> = new Set(["name", "display_name"]);

/** Makes a profile, empty or as a copy of another. The name is checked while it is typed, and by the server. */
export const NewProfile = (props: {
  readonly items: readonly ProfileSummary[];
  readonly onCancel: () => void;
  readonly onCreated: (name: string) => void;
}) => {
  const { items } = props;
  const workbench = useWorkbench();
  const [name, setName] = useState("");
  const [displayName, setDisplayName] = useState("");
  const [from, setFrom] = useState("");
  const { busy, problem, forget, run } = useCommand();
  const field = useRef<HTMLInputElement>(null);
  useEffect(() => field.current?.focus(), []);
  useUnsaved(name !== "" || displayName !== "");

  const faults = {
    name: nameFault(items, name) ?? refusalOf(problem, "name"),
    displayName: displayNameFault(displayName) ?? refusalOf(problem, "display_name"),
  };
  const isReady = name !== "" && faults.name === null && faults.displayName === null;
  const change = (apply: () => void): void => {
    forget();
    apply();
  };
  const create = async (): Promise<void> => {
    if (busy || name === "") return field.current?.focus();
    if (!isReady) return;
    const outcome = await run(() =>
      workbench.profiles.create({
        name,
        ...(from === "" ? {} : { clone_from: from }),
        ...(displayName.trim() === "" ? {} : { display_name: displayName.trim() }),
      }),
    );
    if (outcome.ok) props.onCreated(outcome.value.name);
  };

  return (
    <form
      className="profile-form"
      noValidate
      autoComplete="off"
      onSubmit={(event) => {
        event.preventDefault();
        void create();
      }}
    >
      <h3>New profile</h3>
      <Field
        label="Name"
        fault={faults.name}
        hint="a–z, 0–9, _ and -. The folder is called so; it cannot change later."
      >
        {(control) => (
          <input
            {...control}
            ref={field}
            value={name}
            maxLength={80}
            spellCheck={false}
            autoCapitalize="none"
            onChange={(event) => change(() => setName(event.target.value))}
          />
        )}
      </Field>
      <Field label="Display name" fault={faults.displayName} hint="What people read; the name when empty.">
        {(control) => (
          <input
            {...control}
            value={displayName}
            placeholder={name}
            onChange={(event) => change(() => setDisplayName(event.target.value))}
          />
        )}
      </Field>
      <Field
        label="Begin with"
        hint={
          from === ""
            ? "No keys, no instructions, the demo model."
            : "Its settings, keys and instructions are copied; its memories, skills and sessions are not."
        }
      >
        {(control) => (
          <select {...control} value={from} onChange={(event) => change(() => setFrom(event.target.value))}>
            <option value="">An empty profile</option>
            {items.map((item) => (
              <option key={item.name} value={item.name} disabled={item.state !== "ok"}>
                A copy of {profileLabel(items, item.name)}
              </option>
            ))}
          </select>
        )}
      </Field>
      {problem !== null && !isShown(problem) && (
        <Refusal problem={problem} text={problemText(problem, SHOWN)} />
      )}
      <div className="profile-actions">
        <button className="button" type="button" onClick={props.onCancel}>
          Cancel
        </button>
        <button className="button primary" type="submit" disabled={busy || !isReady}>
          {busy ? "Creating…" : "Create"}
        </button>
      </div>
    </form>
  );
};

/** The server's word on a field; a name that is taken belongs to the name. */
const refusalOf = (problem: Problem | null, path: string): string | null => {
  if (problem?.code === "profile_exists" && path === "name") return sentence(problem.message);
  return problem?.faults.find((fault) => fault.path === path)?.message ?? null;
};

const isShown = (problem: Problem): boolean =>
  problem.code === "profile_exists" ||
  (problem.faults.length > 0 && problem.faults.every(({ path }) => SHOWN.has(path)));
