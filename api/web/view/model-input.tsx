import { type KeyboardEvent, useId, useRef, useState } from "react";
import type { FieldControl } from "./field.tsx";

/** A name to type, and a list to choose from where there is one: arrows walk, Escape closes. */
export const ModelInput = (props: {
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
