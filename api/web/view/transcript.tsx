import { useCallback, useEffect, useLayoutEffect, useMemo, useRef, useState } from "react";
import type { SessionState } from "../model/session-state.ts";
import { timelineOf } from "../model/timeline.ts";
import { DownIcon } from "./icons.tsx";
import { TurnView } from "./turn-view.tsx";
import { useWorkbench } from "./use-workbench.ts";

/** Nearer to the end than this counts as being there. */
const AT_END = 56;
const NEAR_TOP = 600;

/** The conversation. It follows its end only while the reader is there, and pages older turns in at the top. */
export const Transcript = ({ session }: { readonly session: SessionState }) => {
  const workbench = useWorkbench();
  const turns = useMemo(() => timelineOf(session), [session]);
  const scroller = useRef<HTMLDivElement>(null);
  const content = useRef<HTMLDivElement>(null);
  const following = useRef(true);
  const anchor = useRef<{ readonly element: Element; readonly top: number } | null>(null);
  const [away, setAway] = useState(false);

  const toEnd = useCallback((behavior: ScrollBehavior = "instant") => {
    following.current = true;
    setAway(false);
    scroller.current?.scrollTo({ top: scroller.current.scrollHeight, behavior });
  }, []);

  useEffect(() => {
    if (content.current === null || scroller.current === null) return;
    const observer = new ResizeObserver(() => following.current && toEnd());
    observer.observe(content.current);
    observer.observe(scroller.current);
    return () => observer.disconnect();
  }, [toEnd]);

  // The person's own message always comes into view.
  const sent = session.pending.length;
  const sentBefore = useRef(sent);
  useLayoutEffect(() => {
    if (sent > sentBefore.current) toEnd();
    sentBefore.current = sent;
  }, [sent, toEnd]);

  // Older turns grow above what is being read; it must not move.
  const firstKey = turns[0]?.key;
  // biome-ignore lint/correctness/useExhaustiveDependencies: runs when the first turn is another one
  useLayoutEffect(() => {
    const kept = anchor.current;
    anchor.current = null;
    if (kept === null || scroller.current === null) return;
    scroller.current.scrollTop += kept.element.getBoundingClientRect().top - kept.top;
  }, [firstKey]);

  const loadOlder = useCallback(() => {
    const element = content.current?.querySelector(".turn");
    void workbench.loadOlder(session.id);
    if (element) anchor.current = { element, top: element.getBoundingClientRect().top };
  }, [workbench, session.id]);

  const lastTop = useRef(0);
  const onScroll = (): void => {
    const box = scroller.current;
    if (box === null) return;
    const left = box.scrollHeight - box.scrollTop - box.clientHeight;
    // Only a movement upwards is the reader's wish to stay; growth of the text is not.
    if (left < AT_END) following.current = true;
    else if (box.scrollTop < lastTop.current - 2) following.current = false;
    lastTop.current = box.scrollTop;
    setAway(left > 240 && !following.current);
    if (anchor.current !== null) {
      anchor.current = {
        element: anchor.current.element,
        top: anchor.current.element.getBoundingClientRect().top,
      };
    } else if (box.scrollTop < NEAR_TOP && session.older !== null && !following.current) loadOlder();
  };

  return (
    <div className="transcript-frame">
      <div
        className="transcript"
        ref={scroller}
        onScroll={onScroll}
        // biome-ignore lint/a11y/noNoninteractiveTabindex: the keyboard must be able to scroll it
        tabIndex={0}
        role="log"
        aria-label="Conversation"
        aria-live="off"
      >
        <div className="turns" ref={content}>
          {session.older !== null && (
            <button className="button older" type="button" onClick={loadOlder}>
              Show older messages
            </button>
          )}
          {turns.map((turn) => (
            <TurnView key={turn.key} turn={turn} sessionId={session.id} />
          ))}
        </div>
      </div>
      {away && (
        <button className="jump" type="button" onClick={() => toEnd("smooth")}>
          <DownIcon /> Jump to latest
        </button>
      )}
    </div>
  );
};
