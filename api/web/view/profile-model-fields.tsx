import { type KeyboardEvent, useId, useRef, useState } from "react";
import { sentence } from "../model/problem.ts";
import { draftOf, isMasked } from "../model/profile-draft.ts";
import type { ModelChoice } from "../model/profiles.ts";
import { Field, type FieldControl } from "./field.tsx";
import { type FieldsProps, MASK_HINT } from "./profile-fields.tsx";
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
export const ModelFields = ({
  edit,
  faults,
  change,
  models,
}: FieldsProps & { readonly models: ModelChoice }) => {
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
        <Field
          label="Name of the provider"
          fault={faults.provider}
          hint="Its key is NAME_API_KEY, and it needs an address."
        >
          {(control) => (
            <input
              {...control}
              value={draft.provider}
              spellCheck={false}
              autoCapitalize="none"
              onChange={(event) => change({ provider: event.target.value })}
            />
          )}
        </Field>
      )}
      <Field
        label="Address (base_url)"
        fault={faults.baseUrl}
        hint={
          isMasked(draft.baseUrl)
            ? MASK_HINT
            : (ADDRESS_HINT[draft.provider] ?? "Such as http://127.0.0.1:11434/v1")
        }
      >
        {(control) => (
          <input
            {...control}
            inputMode="url"
            value={draft.baseUrl}
            spellCheck={false}
            autoCapitalize="none"
            onChange={(event) => change({ baseUrl: event.target.value })}
          />
        )}
      </Field>
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

/** A name to type, and a list to choose from where there is one: arrows walk, Escape closes. */
const ModelInput = (props: {
  readonly control: FieldControl;
  readonly value: string;
  readonly ids: readonly string[];
  readonly onChange: (model: string) => void;
}) => {
  const { ids, value } = props;
  const [open, setOpen] = useState(false);
  const input = useRef<HTMLInputElement>(null);
  const list = useRef<HTMLUListElement>(null);
  const id = useId();
  const isOpen = open && ids.length > 0;
  const pick = (model: string): void => {
    props.onChange(model);
    setOpen(false);
    input.current?.focus();
  };
  const onKeyDown = (event: KeyboardEvent<HTMLUListElement>): void => {
    if (event.key === "Escape") {
      event.stopPropagation();
      event.preventDefault();
      setOpen(false);
      input.current?.focus();
      return;
    }
    const buttons = [...(list.current?.querySelectorAll("button") ?? [])];
    const at = buttons.indexOf(event.target as HTMLButtonElement);
    const next = { ArrowDown: at + 1, ArrowUp: at - 1, Home: 0, End: buttons.length - 1 }[event.key];
    if (next === undefined) return;
    event.preventDefault();
    buttons[Math.max(0, Math.min(buttons.length - 1, next))]?.focus();
  };
  return (
    <>
      <div className="model-input">
        <input
          {...props.control}
          ref={input}
          value={value}
          list={`${id}-names`}
          spellCheck={false}
          autoCapitalize="none"
          onChange={(event) => props.onChange(event.target.value)}
        />
        <datalist id={`${id}-names`}>
          {ids.map((model) => (
            <option key={model} value={model} />
          ))}
        </datalist>
        {ids.length > 0 && (
          <button
            className="button"
            type="button"
            aria-expanded={isOpen}
            aria-controls={isOpen ? id : undefined}
            onClick={() => setOpen(!open)}
          >
            {ids.length === 1 ? "1 model" : `${ids.length} models`}
          </button>
        )}
      </div>
      {isOpen && (
        <ul
          className="model-list"
          id={id}
          ref={list}
          aria-label="Models of the provider"
          onKeyDown={onKeyDown}
        >
          {ids.map((model) => (
            <li key={model}>
              <button type="button" aria-pressed={model === value} onClick={() => pick(model)}>
                {model}
              </button>
            </li>
          ))}
        </ul>
      )}
    </>
  );
};
