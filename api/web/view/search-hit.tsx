import { memo } from "react";
import type { SearchHit } from "../../../common/contracts/http.ts";
import { segmentsOf } from "../model/search.ts";
import { isForeign } from "../model/session-list.ts";
import { ProfileBadge } from "./profile-badge.tsx";
import { relativeTime } from "./relative-time.ts";

/** A message in which the words stand. The snippet is text and `<mark>`, never markup of its own. */
export const SearchHitItem = memo(function SearchHitItem(props: {
  readonly hit: SearchHit;
  readonly profile: string | null;
  readonly now: number;
  readonly onReveal: (sessionId: string, messageId: string) => void;
}) {
  const { hit } = props;
  const { session } = hit;
  return (
    <li className="session-item">
      <a
        className="session-link"
        href={`/s/${session.id}`}
        onClick={(event) => {
          if (event.metaKey || event.ctrlKey || event.shiftKey || hit.message_id === null) return;
          event.preventDefault();
          props.onReveal(session.id, hit.message_id);
        }}
      >
        <span className="session-line">
          <span className="session-title">{session.title ?? "Untitled session"}</span>
          <time className="session-time" dateTime={new Date(hit.created_at * 1000).toISOString()}>
            {relativeTime(hit.created_at, props.now)}
          </time>
        </span>
        <span className="snippet">
          {props.profile !== null && <ProfileBadge label={props.profile} />}
          {isForeign(session.source) && <span className="source-badge">{session.source}</span>}
          {segmentsOf(hit.snippet, hit.matches).map(({ text, marked }, i) =>
            // biome-ignore lint/suspicious/noArrayIndexKey: the segments of a snippet never change places
            marked ? <mark key={i}>{text}</mark> : <span key={i}>{text}</span>,
          )}
        </span>
      </a>
    </li>
  );
});
