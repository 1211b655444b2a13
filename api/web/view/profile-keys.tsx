import { useRef, useState } from "react";
import type { ProfileView } from "../../../common/contracts/profile.ts";
import { problemText } from "../model/problem.ts";
import { ConfirmDialog } from "./confirm-dialog.tsx";
import { KeyIcon, PlusIcon } from "./icons.tsx";
import { KeyForm } from "./key-form.tsx";
import { useWorkbench } from "./use-workbench.ts";

/** The variables of a profile's `.env`: whether they are set, never what they are. Each change is saved at once. */
export const ProfileKeys = ({ profile }: { readonly profile: ProfileView }) => {
  const workbench = useWorkbench();
  const section = useRef<HTMLElement>(null);
  /** The variables that are being set; "" a new one. */
  const [setting, setSetting] = useState<ReadonlySet<string>>(new Set());
  const [removing, setRemoving] = useState<string | null>(null);
  const [told, setTold] = useState<{ readonly text: string; readonly failed: boolean } | null>(null);

  /** What had the focus goes: the button of the variable gets it, or the one of the new line. */
  const refocus = (name: string): number =>
    requestAnimationFrame(() => {
      const buttonOf = (of: string) =>
        section.current?.querySelector<HTMLElement>(`[data-sets="${CSS.escape(of)}"]`);
      (buttonOf(name) ?? buttonOf(""))?.focus();
    });
  const remove = async (name: string): Promise<void> => {
    const outcome = await workbench.profiles.removeKey(profile.name, name);
    if (!outcome.ok) return setTold({ text: problemText(outcome.problem), failed: true });
    setTold({ text: `${name} was removed.`, failed: false });
    refocus(name);
  };
  const begin = (name: string): void => {
    setTold(null);
    setSetting((now) => new Set([...now, name]));
  };
  const leave = (opened: string, focus: string): void => {
    setSetting((now) => new Set([...now].filter((name) => name !== opened)));
    refocus(focus);
  };
  const formOf = (opened: string) => (
    <KeyForm
      profile={profile.name}
      name={opened === "" ? null : opened}
      onCancel={() => leave(opened, opened)}
      onDone={(name) => {
        leave(opened, name);
        setTold({ text: `${name} is set.`, failed: false });
      }}
    />
  );

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
            {setting.has(name) && formOf(name)}
          </li>
        ))}
      </ul>
      {setting.has("") ? (
        formOf("")
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
