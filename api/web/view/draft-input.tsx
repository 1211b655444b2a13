import type { InputHTMLAttributes, ReactNode } from "react";
import type { DraftFaults, ProfileDraft, ProfileEdit, TextField } from "../model/profile-draft.ts";
import { Field } from "./field.tsx";

/** What every group of a profile's fields works with. */
export interface FieldsProps {
  readonly edit: ProfileEdit;
  readonly faults: DraftFaults;
  readonly change: (draft: Partial<ProfileDraft>) => void;
}

type InputProps = Omit<InputHTMLAttributes<HTMLInputElement>, "value" | "onChange">;

/** One line of a profile's draft; what is not named here goes to the input itself. */
export const DraftInput = ({
  of,
  label,
  hint,
  edit,
  faults,
  change,
  ...input
}: FieldsProps &
  InputProps & { readonly of: TextField; readonly label: string; readonly hint: ReactNode }) => (
  <Field label={label} fault={faults[of]} hint={hint}>
    {(control) => (
      <input
        {...control}
        {...input}
        value={edit.draft[of]}
        onChange={(event) => change({ [of]: event.target.value })}
      />
    )}
  </Field>
);
