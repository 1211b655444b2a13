import type { ReactNode } from "react";
import { type ListPage, OPERATIONS_PAGE, placeText } from "../model/operations.ts";

/** A part of the operator's page. */
export const Section = (props: {
  readonly title: string;
  readonly empty: string;
  /** Stands beside the title. */
  readonly tools?: ReactNode;
  readonly children: ReactNode;
}) => (
  // A row that is done with goes, and its button with it: the focus then comes here.
  <section aria-label={props.title} tabIndex={-1}>
    <div className="operations-title">
      <h2>{props.title}</h2>
      {props.tools}
    </div>
    {props.children || <p className="operations-empty">{props.empty}</p>}
  </section>
);

/** Wide tables scroll by themselves; with the keyboard, too. */
export const Table = ({
  head,
  children,
}: {
  readonly head: readonly string[];
  readonly children: ReactNode;
}) => (
  // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reachable by keyboard
  <div className="operations-table" tabIndex={0}>
    <table>
      <thead>
        <tr>
          {head.map((name) => (
            <th scope="col" key={name}>
              {name}
            </th>
          ))}
        </tr>
      </thead>
      <tbody>{children}</tbody>
    </table>
  </div>
);

/** A page of a list, and how it is turned. */
export interface Listed<T> {
  readonly page: ListPage<T>;
  readonly onTurn: (to: "next" | "previous") => void;
}

/** A list that is looked at page by page. */
export const ListSection = <T,>(props: {
  readonly title: string;
  readonly tools?: ReactNode;
  /** What the list is of. */
  readonly what: string;
  readonly head: readonly string[];
  readonly list: Listed<T>;
  /** How many there are on all pages, where that is known. */
  readonly all?: number;
  readonly row: (item: T) => ReactNode;
}) => {
  const { title, tools, what, head, all = null, row } = props;
  const { page, onTurn } = props.list;
  return (
    <Section title={title} empty="None." tools={tools}>
      {(page.items.length > 0 || page.trail.length > 0) && (
        <>
          <Table head={head}>{page.items.map(row)}</Table>
          <Pager page={page} what={what} all={all} onTurn={onTurn} />
        </>
      )}
    </Section>
  );
};

const Pager = (props: {
  readonly page: ListPage<unknown>;
  readonly what: string;
  /** How many there are on all pages; null: not known. */
  readonly all: number | null;
  readonly onTurn: Listed<unknown>["onTurn"];
}) => {
  const { page, what, all, onTurn } = props;
  if (page.trail.length === 0 && page.next === null) return null;
  return (
    <nav className="operations-pager" aria-label={`Pages of ${what}`}>
      <button
        className="button"
        type="button"
        disabled={page.trail.length === 0}
        onClick={() => onTurn("previous")}
      >
        Previous
      </button>
      <span role="status">{placeText(page, OPERATIONS_PAGE, all)}</span>
      <button className="button" type="button" disabled={page.next === null} onClick={() => onTurn("next")}>
        Next
      </button>
    </nav>
  );
};

/** Asks for something about a row. It can be pressed again when the answer is there. */
export const RowButton = (props: {
  readonly children: ReactNode;
  /** Which of many, for who does not see the row. */
  readonly about: string;
  readonly busy: boolean;
  readonly onPress: () => Promise<void>;
}) => (
  <button
    className="button"
    type="button"
    // Not `disabled`: the focus would be gone.
    aria-disabled={props.busy}
    aria-label={`${String(props.children)}: ${props.about}`}
    onClick={({ currentTarget: button }) => {
      if (props.busy) return;
      const section = button.closest("section");
      void props.onPress().then(() => {
        if (!button.isConnected) section?.focus();
      });
    }}
  >
    {props.children}
  </button>
);

/** A link to a session. */
export const SessionLink = ({ id }: { readonly id: string }) => (
  <a href={`/s/${encodeURIComponent(id)}`} aria-label={`Open the session ${id}`}>
    open
  </a>
);
