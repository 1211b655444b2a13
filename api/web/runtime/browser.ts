import type { Drafts, ProfileChoice } from "../model/workbench.ts";
import type { Surroundings } from "../net/event-connection.ts";
import type { WorkbenchDeps } from "./store.ts";

/** The browser's own things behind the small interfaces that the runtime asks for. */
export const browserSurroundings = (): Surroundings => ({
  hidden: () => document.visibilityState === "hidden",
  online: () => navigator.onLine,
  onChange(listener) {
    const stop = new AbortController();
    const { signal } = stop;
    document.addEventListener("visibilitychange", listener, { signal });
    window.addEventListener("online", listener, { signal });
    window.addEventListener("offline", listener, { signal });
    return () => stop.abort();
  },
  onReturn(listener) {
    const stop = new AbortController();
    const { signal } = stop;
    // Going away changes the visibility, too, and a page that nobody sees may come online.
    const ifSeen = (): void => {
      if (document.visibilityState !== "hidden") listener();
    };
    for (const event of ["focus", "online", "pageshow"]) window.addEventListener(event, ifSeen, { signal });
    document.addEventListener("visibilitychange", ifSeen, { signal });
    return () => stop.abort();
  },
});

/** `/s/<sessionId>` in the address bar. */
export const browserRoute = (): WorkbenchDeps["route"] => ({
  read: () => /^\/s\/([A-Za-z0-9_-]{1,64})\/?$/.exec(location.pathname)?.[1] ?? null,
  write(id, mode) {
    const path = id === null ? "/" : `/s/${id}`;
    if (path === location.pathname) return;
    if (mode === "push") history.pushState(null, "", path);
    else history.replaceState(null, "", path);
  },
  onPop: (listener) => window.addEventListener("popstate", listener),
});

/** Drafts in local storage; a page without storage keeps none. */
export const browserDrafts = (): Drafts => {
  const keyOf = (id: string | null): string => `talaria.draft.${id ?? "new"}`;
  return {
    read(id) {
      try {
        return localStorage.getItem(keyOf(id)) ?? "";
      } catch {
        return "";
      }
    },
    write(id, text) {
      try {
        if (text === "") localStorage.removeItem(keyOf(id));
        else localStorage.setItem(keyOf(id), text);
      } catch {
        // Full or forbidden: the text still stands in the composer.
      }
    },
  };
};

/** The chosen profile in local storage; a page without storage begins with the default one. */
export const browserProfileChoice = (): ProfileChoice => ({
  read() {
    try {
      return localStorage.getItem("talaria.profile");
    } catch {
      return null;
    }
  },
  write(name) {
    try {
      localStorage.setItem("talaria.profile", name);
    } catch {
      // The choice then lasts as long as the page.
    }
  },
});

/** Before the next paint; a tab that is not painted gets a timer instead. */
export const beforePaint = (work: () => void): void => {
  if (document.visibilityState === "hidden") setTimeout(work, 100);
  else requestAnimationFrame(work);
};
