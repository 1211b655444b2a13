import { useEffect, useRef, useState } from "react";
import type { ProfileView } from "../../../common/contracts/profile.ts";
import { KEY_NAME, MAX_KEY_VALUE } from "../../../common/contracts/profile-rules.ts";
import { type Problem, problemText } from "../model/problem.ts";
import { ConfirmDialog } from "./confirm-dialog.tsx";
import { Field } from "./field.tsx";
import { KeyIcon, PlusIcon } from "./icons.tsx";
import { useUnsaved } from "./unsaved.ts";
import { useWorkbench } from "./use-workbench.ts";

/** The variables of a profile's `.env`: whether they are set, never what they are. Each change is saved at once. */
export const ProfileKeys = ({ profile }: { readonly profile: ProfileView }) => {
  const workbench = useWorkbench();
  const section = useRef<HTMLElement>(null);
  /** The variable that is being set; "" a new one. */
  const [setting, setSetting] = useState<string | null>(null);
  const [removing, setRemoving] = useState<string | null>(null);
  const [told, setTold] = useState<{
    readonly name: string;
    readonly text: string;
    readonly failed: boolean;
  } | null>(null);

  const remove = async (name: string): Promise<void> => {
    const outcome = await workbench.profiles.removeKey(profile.name, name);
    setTold(
      outcome.ok
        ? { name, text: `${name} was removed.`, failed: false }
        : { name, text: problemText(outcome.problem), failed: true },
    );
  };
  /** The form goes; the button that opened it, or the new line's, gets the focus. */
  const leave = (name: string): void => {
    setSetting(null);
    requestAnimationFrame(() =>
      section.current?.querySelector<HTMLElement>(`[data-sets="${CSS.escape(name)}"]`)?.focus(),
    );
  };
  const begin = (name: string): void => {
    setTold(null);
    setSetting(name);
  };
  const done = (name: string): void => {
    leave(name);
    setTold({ name, text: `${name} is set.`, failed: false });
  };

  return (
    <section className="profile-keys" aria-label="Keys" ref={section}>
      <h4>Keys</h4>
      <p className="field-hint">Variables of its .env. A value goes in and never comes out again.</p>
      <ul>
        {profile.keys.map(({ name, set }) => (
          <li key={name}>
            <div className="key-row">
              <KeyIcon />
              <code>{name}</code>
              <span className="badge" data-tone={set ? "good" : "trouble"}>
                {set ? "set" : "not set"}
              </span>
              <span className="key-actions">
                <button
                  className="button small"
                  type="button"
                  aria-label={`${set ? "Replace" : "Set"} ${name}`}
                  data-sets={name}
                  onClick={() => begin(name)}
                >
                  {set ? "Replace…" : "Set…"}
                </button>
                {set && (
                  <button
                    className="button small"
                    type="button"
                    aria-label={`Remove ${name}`}
                    onClick={() => setRemoving(name)}
                  >
                    Remove…
                  </button>
                )}
              </span>
            </div>
            {setting === name && (
              <KeyForm profile={profile.name} name={name} onDone={done} onCancel={() => leave(name)} />
            )}
          </li>
        ))}
      </ul>
      {setting === "" ? (
        <KeyForm profile={profile.name} name={null} onDone={done} onCancel={() => leave("")} />
      ) : (
        <button className="link-button" type="button" data-sets="" onClick={() => begin("")}>
          <PlusIcon />
          Add a variable
        </button>
      )}
      <p className={told?.failed ? "form-error" : "field-hint"} role="status">
        {told?.text}
      </p>
      {removing !== null && (
        <ConfirmDialog
          title={`Remove ${removing}?`}
          text="Its value is kept nowhere else here. Runs that have begun keep it, the next ones do without."
          action="Remove"
          onConfirm={() => void remove(removing)}
          onClose={() => setRemoving(null)}
        />
      )}
    </section>
  );
};

/** Takes one value. It stands in the field alone, in no state and no attribute, and not even there once it is saved. */
const KeyForm = (props: {
  readonly profile: string;
  /** null: a new variable, whose name is typed, too. */
  readonly name: string | null;
  readonly onDone: (name: string) => void;
  readonly onCancel: () => void;
}) => {
  const workbench = useWorkbench();
  const [name, setName] = useState(props.name ?? "");
  const [isFilled, setFilled] = useState(false);
  const [busy, setBusy] = useState(false);
  const [problem, setProblem] = useState<Problem | null>(null);
  const form = useRef<HTMLFormElement>(null);
  const value = useRef<HTMLInputElement>(null);
  useEffect(() => {
    form.current?.querySelector("input")?.focus();
    form.current?.scrollIntoView({ block: "nearest" });
  }, []);
  useUnsaved(isFilled);
  const fault =
    name === "" || KEY_NAME.test(name) ? null : "A–Z, a–z, 0–9 and _, not beginning with a digit.";

  const save = async (): Promise<void> => {
    const field = value.current;
    if (busy || field === null || name === "" || fault !== null || field.value.trim() === "") return;
    setBusy(true);
    setProblem(null);
    // What is pasted often brings a blank along, and no key begins or ends with one.
    const outcome = await workbench.profiles.setKey(props.profile, name, field.value.trim());
    setBusy(false);
    if (!outcome.ok) return setProblem(outcome.problem);
    field.value = "";
    setFilled(false);
    props.onDone(name);
  };

  return (
    <form
      ref={form}
      className="key-form"
      noValidate
      autoComplete="off"
      onSubmit={(event) => {
        event.preventDefault();
        void save();
      }}
      onKeyDown={(event) => {
        if (event.key !== "Escape" || isFilled) return;
        event.preventDefault();
        event.stopPropagation();
        props.onCancel();
      }}
    >
      {props.name === null && (
        <Field label="Name of the variable" fault={fault}>
          {(control) => (
            <input
              {...control}
              value={name}
              maxLength={128}
              spellCheck={false}
              autoCapitalize="characters"
              onChange={(event) => setName(event.target.value.trim())}
            />
          )}
        </Field>
      )}
      <Field label={props.name === null ? "Value" : `New value of ${props.name}`}>
        {(control) => (
          <input
            {...control}
            ref={value}
            type="password"
            autoComplete="off"
            maxLength={MAX_KEY_VALUE}
            data-1p-ignore=""
            data-lpignore="true"
            onInput={(event) => setFilled(event.currentTarget.value !== "")}
          />
        )}
      </Field>
      {problem !== null && (
        <p className="form-error" role="alert">
          {problemText(problem)} <code>{problem.code}</code>
        </p>
      )}
      <div className="profile-actions">
        <button className="button small" type="button" onClick={props.onCancel}>
          Cancel
        </button>
        <button
          className="button small primary"
          type="submit"
          disabled={busy || !isFilled || name === "" || fault !== null}
        >
          {busy ? "Saving…" : "Save the key"}
        </button>
      </div>
    </form>
  );
};
