import { type KeyboardEvent, memo, type UIEvent, useEffect, useState } from "react";
import type { Backlog } from "../../../common/contracts/backlog.ts";
import type { StoreInfo } from "../../../common/contracts/http.ts";
import { backlogBanner } from "../model/backlog.ts";
import { isMarked, type ProfilesState, profileLabel } from "../model/profiles.ts";
import type { SearchState } from "../model/search.ts";
import {
  isFiltered,
  NO_FILTER,
  pinnedFirst,
  type SessionFilter,
  type SessionListState,
} from "../model/session-list.ts";
import { storeBanner } from "../model/stores.ts";
import { FilterMenu } from "./filter-menu.tsx";
import { AlertIcon, CloseIcon, PersonIcon, PlusIcon, PulseIcon, SearchIcon, WingMark } from "./icons.tsx";
import { ImportButton } from "./import-button.tsx";
import { NotifySwitch } from "./notify-switch.tsx";
import { SearchHitItem } from "./search-hit.tsx";
import { SessionItem } from "./session-item.tsx";
import { ThemeToggle } from "./theme-toggle.tsx";
import { UpdatesFoot } from "./updates.tsx";
import { useWorkbench } from "./use-workbench.ts";

export const Sidebar = memo(function Sidebar(props: {
  readonly list: SessionListState;
  readonly search: SearchState;
  readonly stores: readonly StoreInfo[];
  readonly backlog: readonly Backlog[];
  readonly profiles: ProfilesState;
  readonly selected: string | null;
  /** The login lies over it. */
  readonly covered: boolean;
  readonly onOpen: (id: string) => void;
  readonly onReveal: (id: string, messageId: string) => void;
  readonly onNew: () => void;
  readonly onProfiles: () => void;
  readonly onClose: () => void;
}) {
  const { list, search, selected } = props;
  const workbench = useWorkbench();
  const now = useMinute();
  const searching = search.phase !== "idle";
  const { items: profiles } = props.profiles;
  const labelOf = (name: string): string | null => (isMarked(profiles) ? profileLabel(profiles, name) : null);
  const filtered = filterText(list.filter, labelOf);
  const empty = emptyText(list, search);

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
      <div className="sidebar-row">
        <button className="new-session" type="button" onClick={props.onNew}>
          <PlusIcon />
          <span>New session</span>
          <kbd>{navigator.platform.startsWith("Mac") ? "⌘K" : "Ctrl K"}</kbd>
        </button>
        <ImportButton />
      </div>
      <div className="sidebar-row">
        <label className="search">
          <SearchIcon />
          <input
            type="search"
            placeholder="Search"
            aria-label="Search sessions and messages"
            maxLength={200}
            value={list.query}
            onChange={(event) => workbench.search(event.target.value)}
          />
        </label>
        <FilterMenu filter={list.filter} sources={list.sources} profiles={profiles} />
      </div>
      <Banner stores={props.stores} backlog={props.backlog} />
      {filtered !== null && (
        <p className="filter-line">
          <span>{filtered}</span>
          <button type="button" onClick={() => workbench.filter(NO_FILTER)}>
            Show all
          </button>
        </p>
      )}
      {/* biome-ignore lint/a11y/noStaticElementInteractions: arrow keys only walk through the links inside */}
      <div
        className="session-list"
        onKeyDown={moveFocus}
        onScroll={(event) => nearEnd(event) && workbench.loadMoreSessions()}
      >
        {searching && list.items.length > 0 && <h2 className="group-head">Sessions</h2>}
        <ul>
          {pinnedFirst(list.items).map((session) => (
            <SessionItem
              key={session.id}
              session={session}
              profile={labelOf(session.profile)}
              current={session.id === selected}
              now={now}
              onOpen={props.onOpen}
            />
          ))}
        </ul>
        {searching && search.hits.length > 0 && <h2 className="group-head">Messages</h2>}
        {searching && (
          <ul>
            {search.hits.map((hit) => (
              <SearchHitItem
                key={`${hit.session.id} ${hit.message_id}`}
                hit={hit}
                profile={labelOf(hit.session.profile)}
                now={now}
                onReveal={props.onReveal}
              />
            ))}
          </ul>
        )}
        {searching && search.indexing && (
          <p className="list-empty" role="status">
            Search is still indexing; older messages may be missing.
          </p>
        )}
        {empty !== null && (
          <p className="list-empty" role="status">
            {empty}
          </p>
        )}
      </div>
      <NotifySwitch />
      <button className="sidebar-foot" type="button" aria-haspopup="dialog" onClick={props.onProfiles}>
        <PersonIcon />
        <span>Profiles</span>
        {profiles.some(({ visible, state }) => visible && state === "unavailable") && (
          <span className="badge" data-tone="trouble">
            needs a look
          </span>
        )}
      </button>
      <UpdatesFoot />
      <a className="sidebar-foot" href="/ops">
        <PulseIcon />
        <span>Operations</span>
      </a>
    </nav>
  );
});

/** What the operator of this server should look at. */
const Banner = memo(function Banner(props: {
  readonly stores: readonly StoreInfo[];
  readonly backlog: readonly Backlog[];
}) {
  const lines = [...backlogBanner(props.backlog), ...storeBanner(props.stores)];
  if (lines.length === 0) return null;
  return (
    <div className="store-banner" role="status">
      <AlertIcon />
      <div>
        {lines.map((line) => (
          <p key={line}>{line}</p>
        ))}
      </div>
    </div>
  );
});

const filterText = (filter: SessionFilter, labelOf: (profile: string) => string | null): string | null => {
  if (!isFiltered(filter)) return null;
  const which = filter.archived
    ? "Archived sessions"
    : filter.source === null
      ? "Sessions"
      : `Sessions from ${filter.source}`;
  return filter.profile === null ? which : `${which} in ${labelOf(filter.profile) ?? filter.profile}`;
};

/** What stands in the place of nothing; null: something is there. */
const emptyText = (list: SessionListState, search: SearchState): string | null => {
  if (list.items.length > 0 || search.hits.length > 0) return null;
  if (list.phase === "loading" || search.phase === "loading") return "Loading…";
  if (list.phase === "failed") return "The sessions could not be read.";
  if (search.phase !== "idle") return "Nothing matches.";
  return isFiltered(list.filter) ? "None." : "No sessions yet.";
};

/** Arrow keys, Home and End walk through the list. */
const moveFocus = (event: KeyboardEvent<HTMLElement>): void => {
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
