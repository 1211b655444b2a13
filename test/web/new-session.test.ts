import { describe, expect, it } from "@jest/globals";
import { answer, openPage, pass, stopTime } from "./page.ts";
import { session } from "./story.ts";

/** A server on which nothing of a session exists until its creation was let through. */
const setUp = () => {
  const calls: string[] = [];
  const created = Promise.withResolvers<void>();
  const opened = Promise.withResolvers<void>();
  let id: string | null = null;
  const nobody = () => answer({ error: { code: "session_not_found", message: "no" } }, 404);
  const request = (async (url: string, init: RequestInit) => {
    const method = init.method ?? "GET";
    calls.push(`${method} ${url}`);
    if (url.startsWith("/api/events")) {
      await opened.promise;
      return url.includes("session_id") && id === null ? nobody() : new Response(new ReadableStream());
    }
    if (method === "POST" && url === "/api/sessions") {
      const body = JSON.parse(String(init.body)) as { id: string };
      await created.promise;
      id = body.id;
      return answer({ session: session(id, 1) }, 201);
    }
    const named = /^\/api\/sessions\/(\w+)/.exec(url)?.[1];
    if (named !== undefined && named !== id) {
      // An answer on its way while the session is made: it comes behind that.
      await created.promise;
      await Promise.resolve();
      return nobody();
    }
    if (method === "POST" && url.endsWith("/runs"))
      return answer({ run: { id: "r", session_id: named, status: "queued" } }, 202);
    if (url.endsWith("/processes")) return answer({ data: [] });
    if (url.includes("/messages")) return answer({ data: [], next_cursor: null, revision: 1, store: "ok" });
    if (named !== undefined) return answer({ session: session(named, 1) });
    return answer({ data: [], next_cursor: null, indexing: false, bot_name: "Hermes" });
  }) as typeof fetch;
  const page = openPage(request);
  const shown = () => {
    const { selected, open } = page.workbench.getState();
    return open.get(selected ?? "");
  };
  return { ...page, calls, created, opened, shown };
};

stopTime();

describe("a message that makes its session", () => {
  it("is not taken for one in a session that is gone where the tab's events come while it is made", async () => {
    const { workbench, opened, created, calls, shown, comeBack } = setUp();
    const sent = workbench.send(null, "hello");
    opened.resolve();
    await pass(100);
    comeBack();
    await pass(100);
    const { selected } = workbench.getState();
    expect(calls.filter((call) => call.startsWith("GET") && call.includes(String(selected)))).toEqual([]);
    created.resolve();
    await pass(100);
    expect(await sent).toBe(true);
    expect(shown()?.phase).toBe("ready");
    expect(calls).toContain(`GET /api/events?session_id=${selected}`);
  });

  it("is followed from where somebody comes back to it while it is made", async () => {
    const { workbench, opened, created, shown } = setUp();
    opened.resolve();
    await pass(100);
    const sent = workbench.send(null, "hello");
    const id = String(workbench.getState().selected);
    workbench.select("other");
    workbench.select(id);
    await pass(100);
    created.resolve();
    await pass(100);
    expect(await sent).toBe(true);
    expect(shown()).toMatchObject({ phase: "ready", session: { id } });
  });
});
