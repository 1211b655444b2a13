import { afterEach, beforeEach, jest } from "@jest/globals";
import type { Workbench } from "../../api/web/model/workbench.ts";
import { createApi } from "../../api/web/net/http.ts";
import { createWorkbench } from "../../api/web/runtime/create-workbench.ts";

/** What one browser keeps while its pages come and go. */
export interface BrowserStore {
  choice: string | null;
}

/** A page without a browser: the whole runtime, on a server that is `request`, in a tab that can be hidden and come back to. */
export const openPage = (
  request: typeof fetch,
  { selected = null, browser = { choice: null } }: { selected?: string | null; browser?: BrowserStore } = {},
) => {
  const tab = { hidden: false };
  const returned: (() => void)[] = [];
  const workbench: Workbench = createWorkbench({
    api: createApi({ fetch: request, timeoutMs: 1_000 }),
    fetch: request,
    surroundings: {
      hidden: () => tab.hidden,
      online: () => true,
      onChange: () => () => undefined,
      onReturn(listener) {
        returned.push(listener);
        return () => undefined;
      },
    },
    drafts: { read: () => "", write: () => undefined },
    profileChoice: {
      read: () => browser.choice,
      write(name) {
        browser.choice = name;
      },
    },
    route: { read: () => selected, write: () => undefined, onPop: () => undefined },
    schedule: (work) => work(),
  });
  const comeBack = (): void => {
    for (const listener of returned) listener();
  };
  return { workbench, tab, comeBack };
};

/** An answer of the server in JSON; those that have no body get none. */
export const answer = (value: unknown, status = 200, etag?: string): Response =>
  new Response(status === 204 || status === 304 ? null : JSON.stringify(value), {
    status,
    headers: etag === undefined ? {} : { ETag: etag },
  });

/** Lets time pass, with everything that falls due in it. */
export const pass = (ms: number): Promise<void> => jest.advanceTimersByTimeAsync(ms);

/** Time stands still in every test of the file until it is let `pass`. */
export const stopTime = (): void => {
  beforeEach(() => {
    jest.useFakeTimers();
  });
  afterEach(() => {
    jest.clearAllTimers();
    jest.useRealTimers();
  });
};
