import type { PushMessage } from "../../../common/contracts/push.ts";

/** What is shown of a push message; null: it is none of ours. */
export const notificationOf = (
  message: unknown,
): { title: string; body: string; sessionId: string } | null => {
  const { session_id, title, event } = (message ?? {}) as Partial<PushMessage>;
  if (typeof session_id !== "string" || !/^[A-Za-z0-9_-]{1,64}$/.test(session_id)) return null;
  const body = event === undefined ? undefined : WORDS[event];
  return body === undefined
    ? null
    : {
        title: typeof title === "string" && title !== "" ? title : "Untitled session",
        body,
        sessionId: session_id,
      };
};

/** Where the page shows a session. */
export const pathOf = (sessionId: string): string => `/s/${sessionId}`;

/** A window of the page: which address it shows now, and whether somebody looks at it. */
export interface PageWindow {
  readonly path: string | null;
  readonly focused: boolean;
}

/** Whether somebody looks at the session right now. */
export const isWatched = (windows: readonly PageWindow[], sessionId: string): boolean =>
  windows.some((page) => page.focused && isAt(page, sessionId));

/** Whether a window shows the session. */
export const isAt = ({ path }: Pick<PageWindow, "path">, sessionId: string): boolean =>
  path?.replace(/\/$/, "") === pathOf(sessionId);

const WORDS: Readonly<Record<PushMessage["event"], string>> = {
  "run.completed": "The answer is there.",
  "run.failed": "The run failed.",
  "run.cancelled": "The run was stopped.",
  "run.interrupted": "The run was interrupted.",
  "run.waiting": "Your answer is needed.",
};
