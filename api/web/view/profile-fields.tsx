import { bytesOf, MAX_SOUL_BYTES } from "../../../common/contracts/profile-rules.ts";
import { isMasked } from "../model/profile-draft.ts";
import { DraftInput, type FieldsProps } from "./draft-input.tsx";
import { Field } from "./field.tsx";

export const MASK_HINT =
  "Parts of it look like keys and are masked here. A change of this field is saved only with them written out.";

/** How the profile is shown. */
export const NameFields = (fields: FieldsProps) => {
  const { edit, change } = fields;
  return (
    <fieldset>
      <legend>How it is shown</legend>
      <DraftInput
        {...fields}
        of="displayName"
        label="Display name"
        hint="What people read; the name when empty."
        placeholder={edit.base.name}
      />
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
};

/** Who answers, and how far a run may go. */
export const AssistantFields = (fields: FieldsProps) => {
  const { faults, change } = fields;
  const { instructions } = fields.edit.draft;
  return (
    <fieldset>
      <legend>Assistant</legend>
      <Field
        label="Instructions (SOUL.md)"
        fault={faults.instructions}
        hint={
          fields.edit.base.instructions_cut
            ? `SOUL.md is longer than the ${MAX_SOUL_BYTES} bytes that reach the model. This is its beginning; change it in the file.`
            : isMasked(instructions)
              ? MASK_HINT
              : `They stand before every conversation. ${bytesOf(instructions)} of ${MAX_SOUL_BYTES} bytes.`
        }
      >
        {(control) => (
          <textarea
            {...control}
            rows={6}
            readOnly={fields.edit.base.instructions_cut}
            value={instructions}
            onChange={(event) => change({ instructions: event.target.value })}
          />
        )}
      </Field>
      <div className="field-pair">
        <DraftInput
          {...fields}
          of="botName"
          label="Name of the assistant"
          hint="Empty: the server's setting."
        />
        <DraftInput
          {...fields}
          of="maxSteps"
          label="Steps of a run, at most"
          hint="Empty: the server's limit."
          inputMode="numeric"
        />
      </div>
      <div className="field-pair">
        <DraftInput
          {...fields}
          of="concurrentRuns"
          label="Runs at once, at most"
          hint="Empty: no limit."
          inputMode="numeric"
        />
        <DraftInput
          {...fields}
          of="runsPerMinute"
          label="Runs in a minute, at most"
          hint="Empty: no limit."
          inputMode="numeric"
        />
      </div>
    </fieldset>
  );
};
