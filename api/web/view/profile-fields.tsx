import { MAX_SOUL_BYTES } from "../../../common/contracts/profile-rules.ts";
import {
  bytesOf,
  type DraftFaults,
  isMasked,
  type ProfileDraft,
  type ProfileEdit,
} from "../model/profile-draft.ts";
import { Field } from "./field.tsx";

/** What every group of fields works with. */
export interface FieldsProps {
  readonly edit: ProfileEdit;
  readonly faults: DraftFaults;
  readonly change: (draft: Partial<ProfileDraft>) => void;
}

export const MASK_HINT =
  "Parts of it look like keys and are masked here. Saving a change of this field writes the mask in their place.";

/** How the profile is shown. */
export const NameFields = ({ edit, faults, change }: FieldsProps) => (
  <fieldset>
    <legend>How it is shown</legend>
    <Field label="Display name" fault={faults.displayName} hint="What people read; the name when empty.">
      {(control) => (
        <input
          {...control}
          value={edit.draft.displayName}
          placeholder={edit.base.name}
          onChange={(event) => change({ displayName: event.target.value })}
        />
      )}
    </Field>
    <label className="check">
      <input
        type="checkbox"
        checked={edit.draft.visible}
        onChange={(event) => change({ visible: event.target.checked })}
      />
      Offer it for new sessions
    </label>
  </fieldset>
);

/** Who answers, and how far a run may go. */
export const AssistantFields = ({ edit, faults, change }: FieldsProps) => {
  const { draft } = edit;
  return (
    <fieldset>
      <legend>Assistant</legend>
      <Field
        label="Instructions (SOUL.md)"
        fault={faults.instructions}
        hint={
          isMasked(draft.instructions)
            ? MASK_HINT
            : `They stand before every conversation. ${bytesOf(draft.instructions)} of ${MAX_SOUL_BYTES} bytes.`
        }
      >
        {(control) => (
          <textarea
            {...control}
            rows={6}
            value={draft.instructions}
            onChange={(event) => change({ instructions: event.target.value })}
          />
        )}
      </Field>
      <div className="field-pair">
        <Field label="Name of the assistant" fault={faults.botName} hint="Empty: the server's setting.">
          {(control) => (
            <input
              {...control}
              value={draft.botName}
              onChange={(event) => change({ botName: event.target.value })}
            />
          )}
        </Field>
        <Field label="Steps of a run, at most" fault={faults.maxSteps} hint="Empty: the server's limit.">
          {(control) => (
            <input
              {...control}
              inputMode="numeric"
              value={draft.maxSteps}
              onChange={(event) => change({ maxSteps: event.target.value })}
            />
          )}
        </Field>
      </div>
      <div className="field-pair">
        <Field label="Runs at once, at most" fault={faults.concurrentRuns} hint="Empty: no limit.">
          {(control) => (
            <input
              {...control}
              inputMode="numeric"
              value={draft.concurrentRuns}
              onChange={(event) => change({ concurrentRuns: event.target.value })}
            />
          )}
        </Field>
        <Field label="Runs in a minute, at most" fault={faults.runsPerMinute} hint="Empty: no limit.">
          {(control) => (
            <input
              {...control}
              inputMode="numeric"
              value={draft.runsPerMinute}
              onChange={(event) => change({ runsPerMinute: event.target.value })}
            />
          )}
        </Field>
      </div>
    </fieldset>
  );
};
