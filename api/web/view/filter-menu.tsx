import { memo } from "react";
import { NO_FILTER, type SessionFilter } from "../model/session-list.ts";
import { FilterIcon } from "./icons.tsx";
import { Menu, type MenuEntry } from "./menu.tsx";
import { useWorkbench } from "./use-workbench.ts";

/** Which sessions are listed: all, the archived ones, or those of one program. */
export const FilterMenu = memo(function FilterMenu(props: {
  readonly filter: SessionFilter;
  readonly sources: readonly string[];
}) {
  const { filter } = props;
  const workbench = useWorkbench();
  const entries: readonly MenuEntry[] = [
    {
      key: "all",
      label: "All sessions",
      checked: !filter.archived && filter.source === null,
      onPick: () => workbench.filter(NO_FILTER),
    },
    {
      key: "archived",
      label: "Archived",
      checked: filter.archived,
      onPick: () => workbench.filter({ archived: true, source: null }),
    },
    ...props.sources.map((source, i) => ({
      key: `source ${source}`,
      label: `From ${source}`,
      apart: i === 0,
      checked: !filter.archived && filter.source === source,
      onPick: () => workbench.filter({ archived: false, source }),
    })),
  ];
  return (
    <Menu
      label="Filter the sessions"
      icon={<FilterIcon />}
      entries={entries}
      active={filter.archived || filter.source !== null}
    />
  );
});
