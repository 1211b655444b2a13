import { type ReactNode, useId } from "react";

/** What ties a control to its label, its hint and its fault. */
export interface FieldControl {
  readonly id: string;
  readonly "aria-describedby": string | undefined;
  readonly "aria-invalid": boolean;
}

/** A labelled control with what helps and what is wrong under it; what is wrong is read aloud. */
export const Field = (props: {
  readonly label: string;
  readonly hint?: ReactNode;
  readonly fault?: string | null | undefined;
  readonly children: (control: FieldControl) => ReactNode;
}) => {
  const id = useId();
  const fault = props.fault ?? null;
  const described = [
    ...(fault === null ? [] : [`${id}-fault`]),
    ...(props.hint === undefined ? [] : [`${id}-hint`]),
  ];
  return (
    <div className="field">
      <label htmlFor={id}>{props.label}</label>
      {props.children({
        id,
        "aria-describedby": described.length === 0 ? undefined : described.join(" "),
        "aria-invalid": fault !== null,
      })}
      <p className="field-fault" id={`${id}-fault`} aria-live="polite">
        {fault}
      </p>
      {props.hint !== undefined && (
        <div className="field-hint" id={`${id}-hint`}>
          {props.hint}
        </div>
      )}
    </div>
  );
};
