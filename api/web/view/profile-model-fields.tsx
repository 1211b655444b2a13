import { useState } from "react";
import { sentence } from "../model/problem.ts";
import { draftOf, isMasked } from "../model/profile-draft.ts";
import type { ModelChoice } from "../model/profiles.ts";
import { DraftInput, type FieldsProps } from "./draft-input.tsx";
import { Field } from "./field.tsx";
import { ModelInput } from "./model-input.tsx";
import { MASK_HINT } from "./profile-fields.tsx";
import { useWorkbench } from "./use-workbench.ts";

const PROVIDERS: readonly (readonly [string, string])[] = [
  ["demo", "Demo model (offline)"],
  ["custom", "OpenAI-compatible server"],
  ["openai", "OpenAI"],
  ["anthropic", "Anthropic"],
];
const OTHER = "other…";

const ADDRESS_HINT: Readonly<Record<string, string>> = {
  demo: "The demo model has none. An address makes it a server of your own.",
  openai: "Empty: OpenAI's own.",
  anthropic: "Empty: Anthropic's own.",
};

/** Which model answers: provider, address and name. The provider is asked for its models with what is saved. */
export const ModelFields = ({ models, ...fields }: FieldsProps & { readonly models: ModelChoice }) => {
  const { edit, faults, change } = fields;
  const { draft } = edit;
  const [isOther, setOther] = useState(false);
  const isKnown = PROVIDERS.some(([name]) => name === draft.provider);
  const before = draftOf(edit.base);
  const isSaved = draft.provider === before.provider && draft.baseUrl === before.baseUrl;
  return (
    <fieldset>
      <legend>Model</legend>
      <Field label="Provider" fault={isKnown ? faults.provider : undefined}>
        {(control) => (
          <select
            {...control}
            value={isKnown && !isOther ? draft.provider : OTHER}
            onChange={(event) => {
              const { value } = event.target;
              setOther(value === OTHER);
              change({ provider: value === OTHER ? "" : value });
            }}
          >
            {PROVIDERS.map(([name, label]) => (
              <option key={name} value={name}>
                {label}
              </option>
            ))}
            <option value={OTHER}>Another, by its name</option>
          </select>
        )}
      </Field>
      {(isOther || !isKnown) && (
        <DraftInput
          {...fields}
          of="provider"
          label="Name of the provider"
          hint="Its key is NAME_API_KEY, and it needs an address."
          spellCheck={false}
          autoCapitalize="none"
        />
      )}
      <DraftInput
        {...fields}
        of="baseUrl"
        label="Address (base_url)"
        hint={
          isMasked(draft.baseUrl)
            ? MASK_HINT
            : (ADDRESS_HINT[draft.provider] ?? "Such as http://127.0.0.1:11434/v1")
        }
        inputMode="url"
        spellCheck={false}
        autoCapitalize="none"
      />
      <Field
        label="Model"
        fault={faults.model}
        hint={<ModelHint profile={edit.base.name} models={models} isSaved={isSaved} />}
      >
        {(control) => (
          <ModelInput
            control={control}
            value={draft.model}
            ids={isSaved ? models.ids : []}
            onChange={(model) => change({ model })}
          />
        )}
      </Field>
    </fieldset>
  );
};

const ModelHint = (props: {
  readonly profile: string;
  readonly models: ModelChoice;
  readonly isSaved: boolean;
}) => {
  const { models } = props;
  const workbench = useWorkbench();
  if (!props.isSaved) return "Its models can be listed once this is saved. A name can be typed now.";
  switch (models.phase) {
    case "idle":
    case "loading":
      return "Asking the provider for its models…";
    case "ready":
      return models.ids.length === 0
        ? "The provider names no models. Type the name."
        : "Empty: the provider's own choice.";
    case "failed":
      return (
        <>
          No list: {sentence(models.message ?? "the provider cannot be asked")} Type the name, or{" "}
          <button
            className="link-button"
            type="button"
            onClick={() => workbench.profiles.askModels(props.profile)}
          >
            ask again
          </button>
          .
        </>
      );
  }
};
