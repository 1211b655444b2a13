import { type KeyboardEvent, type ReactNode, useCallback, useEffect, useId, useRef, useState } from "react";
import { UnfoldIcon } from "./icons.tsx";

/** One line of a menu: something to do, a choice that is made or not, or a download. */
export interface MenuEntry {
  readonly key: string;
  readonly label: string;
  readonly icon?: ReactNode;
  readonly danger?: boolean;
  /** Why it cannot be done now. */
  readonly refused?: string | null;
  /** Given: one choice of several, and whether it is the one. */
  readonly checked?: boolean;
  readonly href?: string;
  readonly onPick?: () => void;
  /** A line above it sets it apart. */
  readonly apart?: boolean;
}

/** A button with a menu under it: arrows, Home and End walk, Escape closes, a click elsewhere too. */
export const Menu = (props: {
  readonly label: string;
  readonly icon: ReactNode;
  /** Stands on the button; without it there is the icon alone. */
  readonly face?: string;
  readonly entries: readonly MenuEntry[];
  /** Something in it is set. */
  readonly active?: boolean;
}) => {
  const [open, setOpen] = useState(false);
  const host = useRef<HTMLDivElement>(null);
  const button = useRef<HTMLButtonElement>(null);
  const id = useId();

  const close = useCallback((refocus: boolean) => {
    setOpen(false);
    if (refocus) button.current?.focus();
  }, []);

  useEffect(() => {
    if (!open) return;
    itemsOf(host.current)[0]?.focus();
    const away = (event: Event): void => {
      if (!host.current?.contains(event.target as Node)) close(false);
    };
    document.addEventListener("pointerdown", away);
    document.addEventListener("focusin", away);
    return () => {
      document.removeEventListener("pointerdown", away);
      document.removeEventListener("focusin", away);
    };
  }, [open, close]);

  const onKeyDown = (event: KeyboardEvent<HTMLDivElement>): void => {
    if (event.key === "Escape") {
      event.stopPropagation();
      close(true);
      return;
    }
    const items = itemsOf(host.current);
    const at = items.indexOf(event.target as HTMLElement);
    const next = { ArrowDown: at + 1, ArrowUp: at - 1, Home: 0, End: items.length - 1 }[event.key];
    if (next === undefined) return;
    event.preventDefault();
    items[(next + items.length) % items.length]?.focus();
  };

  return (
    <div className="menu-host" ref={host}>
      <button
        ref={button}
        className={props.face === undefined ? "icon-button" : "pill-button"}
        type="button"
        aria-label={props.face === undefined ? props.label : `${props.label}: ${props.face}`}
        aria-haspopup="menu"
        aria-expanded={open}
        aria-controls={open ? id : undefined}
        data-active={props.active ?? false}
        title={props.label}
        onClick={() => setOpen(!open)}
      >
        {props.icon}
        {props.face !== undefined && (
          <>
            <bdi>{props.face}</bdi>
            <UnfoldIcon />
          </>
        )}
      </button>
      {open && (
        <div
          className="menu"
          id={id}
          role="menu"
          tabIndex={-1}
          aria-label={props.label}
          onKeyDown={onKeyDown}
        >
          {props.entries.map((entry) => (
            <MenuLine key={entry.key} entry={entry} onDone={() => close(true)} />
          ))}
        </div>
      )}
    </div>
  );
};

const MenuLine = ({ entry, onDone }: { readonly entry: MenuEntry; readonly onDone: () => void }) => {
  const refused = entry.refused ?? null;
  const shared = {
    className: "menu-line",
    tabIndex: -1,
    "data-danger": entry.danger ?? false,
    "data-apart": entry.apart ?? false,
    title: refused ?? undefined,
  };
  const content = (
    <>
      {entry.icon}
      <span>{entry.label}</span>
    </>
  );
  if (entry.href !== undefined)
    return (
      <a {...shared} role="menuitem" href={entry.href} download="" onClick={onDone}>
        {content}
      </a>
    );
  const role =
    entry.checked === undefined
      ? { role: "menuitem" }
      : { role: "menuitemradio", "aria-checked": entry.checked };
  return (
    <button
      {...shared}
      {...role}
      type="button"
      aria-disabled={refused !== null}
      onClick={() => {
        if (refused !== null) return;
        onDone();
        entry.onPick?.();
      }}
    >
      {content}
    </button>
  );
};

const itemsOf = (host: HTMLElement | null): HTMLElement[] => [
  ...(host?.querySelectorAll<HTMLElement>(".menu-line") ?? []),
];
