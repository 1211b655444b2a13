import { Fragment, useCallback, useEffect, useLayoutEffect, useMemo, useRef, useState } from "react";
import { bordersOf } from "../model/compression.ts";
import { recapName, recapsOf } from "../model/recaps.ts";
import type { SessionState } from "../model/session-state.ts";
import { type Turn, timelineOf } from "../model/timeline.ts";
import { lockOf } from "../model/turn-actions.ts";
import { ContextDivider } from "./context-divider.tsx";
import { DownIcon } from "./icons.tsx";
import { LockContext } from "./message-bar.tsx";
import { RecapCard } from "./recap-card.tsx";
import { RecapLine } from "./recap-line.tsx";
import { TurnView } from "./turn-view.tsx";
import { useWorkbench } from "./use-workbench.ts";

/** Nearer to the end than this counts as being there. */
const AT_END = 56;
const NEAR_TOP = 600;
const SETTLE_FRAMES = 12;

/** The conversation. It follows its end only while the reader is there, and pages older turns in at the top. */
export const Transcript = ({ session }: { readonly session: SessionState }) => {
  const workbench = useWorkbench();
  const turns = useMemo(() => timelineOf(session), [session]);
  const borders = useMemo(() => bordersOf(session.contexts), [session.contexts]);
  const dividersOf = (turn: Turn) => turn.committed.flatMap(({ id }) => borders.get(id) ?? []);
  const scroller = useRef<HTMLDivElement>(null);
  const content = useRef<HTMLDivElement>(null);
  const following = useRef(true);
  const anchor = useRef<{ readonly element: Element; readonly top: number } | null>(null);
  const selecting = useRef(false);
  const [away, setAway] = useState(false);

  /** Whether new text may move the view is part of the state: what comes meanwhile is counted there (B5). */
  const tell = useCallback(
    () => workbench.setAway(session.id, !following.current || selecting.current),
    [workbench, session.id],
  );
  const toEnd = useCallback(
    (behavior: ScrollBehavior = "instant") => {
      following.current = true;
      setAway(false);
      tell();
      scroller.current?.scrollTo({ top: scroller.current.scrollHeight, behavior });
    },
    [tell],
  );

  useEffect(() => {
    if (content.current === null || scroller.current === null) return;
    const observer = new ResizeObserver(() => following.current && !selecting.current && toEnd());
    observer.observe(content.current);
    observer.observe(scroller.current);
    return () => observer.disconnect();
  }, [toEnd]);

  useEffect(() => {
    const onSelection = (): void => {
      const selection = document.getSelection();
      const now =
        selection !== null &&
        !selection.isCollapsed &&
        (content.current?.contains(selection.anchorNode) ?? false);
      if (now === selecting.current) return;
      selecting.current = now;
      // What came meanwhile stands below; letting go of the text is no wish to see it.
      if (!now && following.current) following.current = leftOf(scroller.current) < AT_END;
      tell();
    };
    document.addEventListener("selectionchange", onSelection);
    return () => document.removeEventListener("selectionchange", onSelection);
  }, [tell]);

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

  const { reveal } = session;
  useEffect(() => {
    if (reveal === null) return;
    workbench.revealed(session.id);
    const element = elementOf(content.current, reveal);
    if (element === null) return;
    following.current = false;
    tell();
    settleOn(scroller.current, element, SETTLE_FRAMES);
    element.classList.add("flash");
    element.addEventListener("animationend", () => element.classList.remove("flash"), { once: true });
  }, [reveal, session.id, workbench, tell]);

  const lastTop = useRef(0);
  const onScroll = (): void => {
    const box = scroller.current;
    if (box === null) return;
    const left = leftOf(box);
    // Only a movement upwards is the reader's wish to stay; growth of the text is not.
    if (left < AT_END) following.current = true;
    else if (box.scrollTop < lastTop.current - 2) following.current = false;
    lastTop.current = box.scrollTop;
    setAway(left > 240 && !following.current);
    tell();
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
          <LockContext value={lockOf(session)}>
            {turns.map((turn, i) => (
              <Fragment key={turn.key}>
                {dividersOf(turn).map((context) => (
                  <ContextDivider key={context.version} sessionId={session.id} context={context} />
                ))}
                <TurnView
                  turn={turn}
                  sessionId={session.id}
                  last={i === turns.length - 1}
                  editing={editedIn(turn, session.editing)}
                />
                {recapsOf(turn, session.recaps).map((recap) => (
                  <RecapCard key={recapName(recap)} recap={recap} />
                ))}
              </Fragment>
            ))}
          </LockContext>
          <RecapLine session={session} />
        </div>
      </div>
      {(away || session.news > 0) && (
        <button
          className="jump"
          type="button"
          data-news={session.news > 0}
          onClick={() => {
            document.getSelection()?.removeAllRanges();
            selecting.current = false;
            toEnd("smooth");
          }}
        >
          <DownIcon />{" "}
          {session.news === 0
            ? "Jump to latest"
            : session.news === 1
              ? "1 new message"
              : `${session.news} new messages`}
        </button>
      )}
    </div>
  );
};

/**
 * Turns get their real heights only when they come near, which moves what is aimed at: so the aim is taken again. Only the
 * conversation is scrolled: at its end, `scrollIntoView` would move the page itself.
 */
const settleOn = (box: HTMLElement | null, element: HTMLElement, frames: number): void => {
  if (box === null) return;
  const [outer, inner] = [box.getBoundingClientRect(), element.getBoundingClientRect()];
  box.scrollTop += inner.top + inner.height / 2 - (outer.top + outer.height / 2);
  if (frames > 0) requestAnimationFrame(() => settleOn(box, element, frames - 1));
};

const leftOf = (box: HTMLElement | null): number =>
  box === null ? 0 : box.scrollHeight - box.scrollTop - box.clientHeight;

const editedIn = (turn: Turn, messageId: string | null): string | null =>
  messageId !== null && turn.committed.some((message) => message.id === messageId) ? messageId : null;

/** What shows the message: its own element, or the turn that it is part of. */
const elementOf = (root: HTMLElement | null, messageId: string): HTMLElement | null => {
  const name = CSS.escape(messageId);
  return (
    root?.querySelector<HTMLElement>(`[data-message="${name}"]`) ??
    root?.querySelector<HTMLElement>(`[data-messages~="${name}"]`) ??
    null
  );
};
