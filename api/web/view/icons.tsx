import type { ReactNode } from "react";

const Icon = ({ children }: { readonly children: ReactNode }) => (
  <svg className="icon" viewBox="0 0 20 20" aria-hidden="true">
    {children}
  </svg>
);

export const PlusIcon = () => (
  <Icon>
    <path d="M10 4v12M4 10h12" />
  </Icon>
);
export const SearchIcon = () => (
  <Icon>
    <path d="M9 15A6 6 0 1 0 9 3a6 6 0 0 0 0 12zM13.500 13.500 17 17" />
  </Icon>
);
export const SendIcon = () => (
  <Icon>
    <path d="M10 16V4M5 9l5-5 5 5" />
  </Icon>
);
export const StopIcon = () => (
  <Icon>
    <rect className="filled" x="5.500" y="5.500" width="9" height="9" rx="1.500" />
  </Icon>
);
export const MenuIcon = () => (
  <Icon>
    <path d="M3 6h14M3 10h14M3 14h14" />
  </Icon>
);
export const GiftIcon = () => (
  <Icon>
    <path d="M3.500 8h13v3h-13zM5 11v6h10v-6M10 8v9M10 8C7.500 8 6 6.800 6.500 5.200S9.500 4.500 10 8c.5-3.500 3-4.400 3.500-2.800S12.500 8 10 8z" />
  </Icon>
);
export const RecapIcon = () => (
  <Icon>
    <path d="M4 6h.01M4 10h.01M4 14h.01M8 6h9M8 10h9M8 14h5" />
  </Icon>
);
export const CloseIcon = () => (
  <Icon>
    <path d="m5 5 10 10M15 5 5 15" />
  </Icon>
);
export const TrashIcon = () => (
  <Icon>
    <path d="M4 6h12M8 6V4h4v2M6 6l.7 10h6.600L14 6M8.500 9v4M11.500 9v4" />
  </Icon>
);
export const PencilIcon = () => (
  <Icon>
    <path d="m4 16 .8-3.200L13 4.600l2.400 2.400-8.200 8.200L4 16z" />
  </Icon>
);
export const TitleIcon = () => (
  <Icon>
    <path d="M4 6V4h12v2M10 4v12M7.500 16h5" />
  </Icon>
);
export const CompressIcon = () => (
  <Icon>
    <path d="M4 10h12M10 2v5M7.500 4.500 10 7l2.500-2.500M10 18v-5M7.500 15.500 10 13l2.500 2.500" />
  </Icon>
);
export const ChevronIcon = () => (
  <Icon>
    <path d="m7 5 5 5-5 5" />
  </Icon>
);
export const DownIcon = () => (
  <Icon>
    <path d="M10 4v12M5 11l5 5 5-5" />
  </Icon>
);
export const CopyIcon = () => (
  <Icon>
    <path d="M7 7V4h9v9h-3M4 7h9v9H4z" />
  </Icon>
);
export const CheckIcon = () => (
  <Icon>
    <path d="m4 10.500 4 4 8-9" />
  </Icon>
);
export const WrenchIcon = () => (
  <Icon>
    <path d="M12.500 3.500a4 4 0 0 0-4.800 5.300L3.500 13a1.800 1.800 0 0 0 0 2.500l1 1a1.800 1.800 0 0 0 2.500 0l4.200-4.200a4 4 0 0 0 5.300-4.800L14 10l-2.500-.500L11 7l2.500-2.500z" />
  </Icon>
);
export const ThoughtIcon = () => (
  <Icon>
    <path d="M10 3a5 5 0 0 0-3 9c.6.500 1 1.200 1 2h4c0-.800.400-1.500 1-2a5 5 0 0 0-3-9zM8.500 16.500h3" />
  </Icon>
);
export const AlertIcon = () => (
  <Icon>
    <path d="M10 3 2.500 16.500h15L10 3zM10 8v4M10 14.200v.100" />
  </Icon>
);
export const SunIcon = () => (
  <Icon>
    <path d="M10 13a3 3 0 1 0 0-6 3 3 0 0 0 0 6zM10 2.500v2M10 15.500v2M2.500 10h2M15.500 10h2M4.700 4.700l1.400 1.400M13.900 13.900l1.400 1.400M4.700 15.300l1.400-1.400M13.900 6.100l1.400-1.400" />
  </Icon>
);
export const MoonIcon = () => (
  <Icon>
    <path d="M16 12.200A6.800 6.800 0 0 1 7.800 4 6.800 6.800 0 1 0 16 12.200z" />
  </Icon>
);
export const FolderIcon = () => (
  <Icon>
    <path d="M3 6a1 1 0 0 1 1-1h4l1.500 2H16a1 1 0 0 1 1 1v6.500a1 1 0 0 1-1 1H4a1 1 0 0 1-1-1V6z" />
  </Icon>
);

export const MoreIcon = () => (
  <Icon>
    <path
      className="filled"
      d="M5 8.800a1.200 1.200 0 1 0 0 2.400 1.200 1.200 0 0 0 0-2.400zM10 8.800a1.200 1.200 0 1 0 0 2.400 1.200 1.200 0 0 0 0-2.400zM15 8.800a1.200 1.200 0 1 0 0 2.400 1.200 1.200 0 0 0 0-2.400z"
    />
  </Icon>
);
export const ForkIcon = () => (
  <Icon>
    <path d="M6 7.500v5M6 7.500a2 2 0 1 0 0-4 2 2 0 0 0 0 4zM6 16.500a2 2 0 1 0 0-4 2 2 0 0 0 0 4zM14 7.500a2 2 0 1 0 0-4 2 2 0 0 0 0 4zM14 7.500c0 3-2 3.500-4 4-2 .4-4 .5-4 1" />
  </Icon>
);
export const RetryIcon = () => (
  <Icon>
    <path d="M15.500 10a5.500 5.500 0 1 1-1.700-4L16 8M16 4v4h-4" />
  </Icon>
);
export const UndoIcon = () => (
  <Icon>
    <path d="M7.500 4 4 7.500 7.500 11M4 7.500h7.500a4.250 4.250 0 0 1 0 8.500H8" />
  </Icon>
);
export const ArchiveIcon = () => (
  <Icon>
    <path d="M3.500 4h13v3.500h-13zM5 7.500V16h10V7.500M8.500 11h3" />
  </Icon>
);
export const PinIcon = () => (
  <Icon>
    <path d="M7.500 3.500h5l-.5 5 2.500 2.500h-9L8 8.500zM10 11v5.500" />
  </Icon>
);
export const DownloadIcon = () => (
  <Icon>
    <path d="M10 3.500v9M6.500 9l3.500 3.500L13.500 9M4 16.500h12" />
  </Icon>
);
export const UploadIcon = () => (
  <Icon>
    <path d="M10 12.500v-9M6.500 7 10 3.500 13.500 7M4 16.500h12" />
  </Icon>
);
export const FilterIcon = () => (
  <Icon>
    <path d="M3.500 5.500h13M6 10h8M8.500 14.500h3" />
  </Icon>
);
export const CutIcon = () => (
  <Icon>
    <path d="M4 5h12M4 10h5M4 15h3M12 11l5 5M17 11l-5 5" />
  </Icon>
);
export const ClearIcon = () => (
  <Icon>
    <path d="M4 5h12M4 10h12M4 15h7M14 13.500l3.500 3.500M17.500 13.500 14 17" />
  </Icon>
);

export const PersonIcon = () => (
  <Icon>
    <path d="M10 10a3 3 0 1 0 0-6 3 3 0 0 0 0 6zM4.500 16.500c.5-3 2.700-4.500 5.500-4.500s5 1.500 5.500 4.500" />
  </Icon>
);
export const BellIcon = () => (
  <Icon>
    <path d="M5 14V9a5 5 0 0 1 10 0v5l1.500 1.500h-13zM8.500 17.500h3" />
  </Icon>
);
export const PulseIcon = () => (
  <Icon>
    <path d="M2.500 10.500h3.500l2.500-6 3.500 11 2.500-5h3" />
  </Icon>
);
export const BackIcon = () => (
  <Icon>
    <path d="m12 5-5 5 5 5" />
  </Icon>
);
export const KeyIcon = () => (
  <Icon>
    <path d="M7 13.500a3 3 0 1 0 0-6 3 3 0 0 0 0 6zM10 10.500h6.500v3M13.500 10.500v2" />
  </Icon>
);
/** A small arrow that says: more below. */
export const UnfoldIcon = () => (
  <Icon>
    <path d="m6 8 4 4 4-4" />
  </Icon>
);

/** The winged sandal of the name, as a mark. */
export const WingMark = () => (
  <svg className="mark" viewBox="0 0 32 32" aria-hidden="true">
    <rect className="mark-ground" width="32" height="32" rx="9" />
    <path
      className="mark-wing"
      d="M6 20c6 .6 11-1.600 13-6.500 1-2.500 3.500-5 7-5.500-.3 3-1.600 5-3.600 6.200 1.100.1 2 0 2.900-.4-.6 2.400-2.200 4-4.500 4.600.8.3 1.500.4 2.300.2-1.200 2.400-3.700 4-7.100 4.400H8.500C7 23 6 21.800 6 20z"
    />
  </svg>
);
