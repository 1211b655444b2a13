import { memo } from "react";
import type { ProfileSummary } from "../../../common/contracts/profile.ts";
import { isMarked, profileLabel } from "../model/profiles.ts";
import { isFiltered, type SessionFilter } from "../model/session-list.ts";
import { FilterIcon } from "./icons.tsx";
import { Menu, type MenuEntry } from "./menu.tsx";
import { useWorkbench } from "./use-workbench.ts";

/** Which sessions are listed: all, the archived ones, or those of one program; and of which profile. */
export const FilterMenu = memo(function FilterMenu(props: {
  readonly filter: SessionFilter;
  readonly sources: readonly string[];
  readonly profiles: readonly ProfileSummary[];
}) {
  const { filter, profiles } = props;
  const workbench = useWorkbench();
  const pick = (change: Partial<SessionFilter>) => () => workbench.filter({ ...filter, ...change });
  const ofProfiles: readonly MenuEntry[] = [
    {
      key: "profiles",
      label: "In all profiles",
      apart: true,
      checked: filter.profile === null,
      onPick: pick({ profile: null }),
    },
    ...profiles.map(({ name }) => ({
      key: `profile ${name}`,
      label: `In ${profileLabel(profiles, name)}`,
      checked: filter.profile === name,
      onPick: pick({ profile: name }),
    })),
  ];
  const entries: readonly MenuEntry[] = [
    {
      key: "all",
      label: "All sessions",
      checked: !filter.archived && filter.source === null,
      onPick: pick({ archived: false, source: null }),
    },
    {
      key: "archived",
      label: "Archived",
      checked: filter.archived,
      onPick: pick({ archived: true, source: null }),
    },
    ...props.sources.map((source, i) => ({
      key: `source ${source}`,
      label: `From ${source}`,
      apart: i === 0,
      checked: !filter.archived && filter.source === source,
      onPick: pick({ archived: false, source }),
    })),
    ...(isMarked(profiles) ? ofProfiles : []),
  ];
  return (
    <Menu label="Filter the sessions" icon={<FilterIcon />} entries={entries} active={isFiltered(filter)} />
  );
});
