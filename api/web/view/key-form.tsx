import { useEffect, useRef, useState } from "react";
import { KEY_NAME, MAX_KEY_VALUE } from "../../../common/contracts/profile-rules.ts";
import { Field } from "./field.tsx";
import { Refusal } from "./refusal.tsx";
import { useUnsaved } from "./unsaved.ts";
import { useCommand } from "./use-command.ts";
import { useWorkbench } from "./use-workbench.ts";

/** Takes one value. It stands in the field alone, in no state and no attribute, and not even there once it is saved. */
export const KeyForm = (props: {
  readonly profile: string;
  /** null: a new variable, whose name is typed, too. */
  readonly name: string | null;
  readonly onDone: (name: string) => void;
  readonly onCancel: () => void;
}) => {
  const workbench = useWorkbench();
  const [name, setName] = useState(props.name ?? "");
  const [isFilled, setFilled] = useState(false);
  const { busy, problem, run } = useCommand();
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
    // What is pasted often brings a blank along, and no key begins or ends with one.
    const outcome = await run(() => workbench.profiles.setKey(props.profile, name, field.value.trim()));
    if (!outcome.ok) return;
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
      {problem !== null && <Refusal problem={problem} />}
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
