import { type KeyboardEvent, memo, type UIEvent, useEffect, useState } from "react";
import type { SessionListState } from "../model/app-state.ts";
import { CloseIcon, PlusIcon, SearchIcon, WingMark } from "./icons.tsx";
import { SessionItem } from "./session-item.tsx";
import { ThemeToggle } from "./theme-toggle.tsx";
import { useWorkbench } from "./use-workbench.ts";

export const Sidebar = memo(function Sidebar(props: {
  readonly list: SessionListState;
  readonly selected: string | null;
  /** The login lies over it. */
  readonly covered: boolean;
  readonly onOpen: (id: string) => void;
  readonly onNew: () => void;
  readonly onClose: () => void;
}) {
  const { list, selected } = props;
  const workbench = useWorkbench();
  const now = useMinute();

  return (
    <nav className="sidebar" aria-label="Sessions" inert={props.covered}>
      <div className="sidebar-head">
        <WingMark />
        <span className="brand">Talaria</span>
        <ThemeToggle />
        <button
          className="icon-button only-phone"
          type="button"
          aria-label="Close the session list"
          onClick={props.onClose}
        >
          <CloseIcon />
        </button>
      </div>
      <button className="new-session" type="button" onClick={props.onNew}>
        <PlusIcon />
        <span>New session</span>
        <kbd>{navigator.platform.startsWith("Mac") ? "⌘K" : "Ctrl K"}</kbd>
      </button>
      <label className="search">
        <SearchIcon />
        <input
          type="search"
          placeholder="Search titles"
          aria-label="Search sessions by title"
          value={list.query}
          onChange={(event) => workbench.search(event.target.value)}
        />
      </label>
      <ul
        className="session-list"
        onKeyDown={moveFocus}
        onScroll={(event) => nearEnd(event) && workbench.loadMoreSessions()}
      >
        {list.items.map((session) => (
          <SessionItem
            key={session.id}
            session={session}
            current={session.id === selected}
            now={now}
            onOpen={props.onOpen}
          />
        ))}
      </ul>
      {list.items.length === 0 && (
        <p className="list-empty">
          {list.phase === "loading"
            ? "Loading…"
            : list.phase === "failed"
              ? "The sessions could not be read."
              : list.query === ""
                ? "No sessions yet."
                : "No title matches."}
        </p>
      )}
    </nav>
  );
});

/** Arrow keys, Home and End walk through the list. */
const moveFocus = (event: KeyboardEvent<HTMLUListElement>): void => {
  const links = [...event.currentTarget.querySelectorAll<HTMLAnchorElement>("a.session-link")];
  const at = links.indexOf(event.target as HTMLAnchorElement);
  if (at === -1) return;
  const next = { ArrowDown: at + 1, ArrowUp: at - 1, Home: 0, End: links.length - 1 }[event.key];
  if (next === undefined) return;
  event.preventDefault();
  links[Math.max(0, Math.min(links.length - 1, next))]?.focus();
};

const nearEnd = ({ currentTarget: list }: UIEvent<HTMLElement>): boolean =>
  list.scrollHeight - list.scrollTop - list.clientHeight < 200;

/** The time in epoch seconds, new every half minute: relative times stay true. */
const useMinute = (): number => {
  const [now, setNow] = useState(() => Date.now() / 1000);
  useEffect(() => {
    const timer = setInterval(() => setNow(Date.now() / 1000), 30_000);
    return () => clearInterval(timer);
  }, []);
  return now;
};
