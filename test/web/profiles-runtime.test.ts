import { describe, expect, it } from "@jest/globals";
import type { ProfileView } from "../../common/contracts/profile.ts";
import { answer, type BrowserStore, openPage, pass, stopTime } from "./page.ts";
import { profile, summary } from "./profile-story.ts";
import { session } from "./story.ts";

interface Call {
  readonly method: string;
  readonly path: string;
  readonly body: Record<string, unknown> | null;
}

/** A server with profiles `default` and `work`, and one session of `work`; `browser` outlives a page. */
const setUp = (browser: BrowserStore = { choice: null }, selected: string | null = null) => {
  const calls: Call[] = [];
  const encoder = new TextEncoder();
  const server = {
    profiles: new Map<string, ProfileView>([
      ["default", profile("default")],
      ["work", profile("work", { display_name: "At work" })],
    ]),
    sessions: new Map([["s", { ...session("s"), profile: "work" }]]),
    refuse: null as { status: number; error: object } | null,
    /** Held answers to reads of a single profile. */
    hold: null as Promise<void> | null,
    stream: null as ReadableStreamDefaultController<Uint8Array> | null,
  };
  const error = (status: number, code: string, details?: unknown): Response =>
    answer({ error: { code, message: `refused: ${code}`, details } }, status);

  const request = (async (url: string, init: RequestInit) => {
    if (url.startsWith("/api/events"))
      return new Response(
        new ReadableStream<Uint8Array>({
          start(controller) {
            server.stream = controller;
          },
        }),
      );
    const method = init.method ?? "GET";
    const [path = ""] = url.split("?");
    const body = typeof init.body === "string" ? (JSON.parse(init.body) as Call["body"]) : null;
    calls.push({ method, path: url, body });
    if (method !== "GET" && server.refuse !== null)
      return answer({ error: server.refuse.error }, server.refuse.status);
    const [, , resource, id, part] = path.split("/");
    if (resource === "profiles" && id === undefined && method === "POST") {
      const made = profile(String(body?.name));
      server.profiles.set(made.name, made);
      return answer({ profile: made }, 201);
    }
    if (resource === "profiles" && id === undefined)
      return answer({
        data: [...server.profiles.values()].map((one) => summary(one.name, one)),
        next_cursor: null,
      });
    if (resource === "profiles" && id !== undefined) {
      const one = server.profiles.get(id);
      if (one === undefined) return error(404, "profile_not_found");
      if (method === "DELETE" && part === undefined) {
        server.profiles.delete(id);
        for (const [key, { profile: of }] of server.sessions) if (of === id) server.sessions.delete(key);
        return answer(null, 204);
      }
      if (method === "PATCH") server.profiles.set(id, { ...one, bot_name: String(body?.bot_name) });
      if (part === "keys" && method === "POST")
        server.profiles.set(id, { ...one, keys: [{ name: String(body?.name), set: true }] });
      const told = answer({ profile: server.profiles.get(id) });
      if (method === "GET") await server.hold;
      return told;
    }
    if (resource === "models") return answer({ data: [{ id: "m1" }, { id: "m2" }] });
    if (resource === "sessions" && id === undefined && method === "POST") {
      if (!server.profiles.has(String(body?.profile))) return error(404, "profile_not_found");
      const made = { ...session(String(body?.id)), profile: String(body?.profile) };
      server.sessions.set(made.id, made);
      return answer({ session: made }, 201);
    }
    if (resource === "sessions" && id !== undefined && part === undefined) {
      const one = server.sessions.get(id);
      return one === undefined ? error(404, "session_not_found") : answer({ session: one });
    }
    if (part === "runs") return error(422, "profile_unavailable");
    return answer({ data: [], next_cursor: null, revision: 1, indexing: false, bot_name: "Hermes" });
  }) as typeof fetch;

  const { workbench } = openPage(request, { selected, browser });
  return {
    ...{ workbench, server, calls, browser },
    profiles: () => workbench.getState().profiles,
    count: (method: string, path: string): number =>
      calls.filter((call) => call.method === method && call.path.startsWith(path)).length,
    /** A frame on the open event stream. */
    hint: (data: object): void =>
      server.stream?.enqueue(encoder.encode(`event: sessions_changed\ndata: ${JSON.stringify(data)}\n\n`)),
  };
};

stopTime();

describe("the browser's choice", () => {
  it("is kept over a reload and is what new sessions are created with; another browser has its own", async () => {
    const one = setUp();
    const other = setUp();
    await pass(1_000);
    one.workbench.profiles.choose("work");
    const again = setUp(one.browser);
    await pass(1_000);
    for (const page of [again, other]) void page.workbench.send(null, "hello");
    await pass(1_000);
    const created = (page: typeof one) =>
      page.calls.find((c) => c.method === "POST" && c.path === "/api/sessions");
    expect(created(again)?.body).toMatchObject({ profile: "work" });
    expect(created(other)?.body).toMatchObject({ profile: "default" });
    expect(one.count("PATCH", "/api")).toBe(0);
  });

  it("is where an imported session goes", async () => {
    const { workbench, calls } = setUp({ choice: "work" });
    await pass(1_000);
    workbench.importFile(JSON.stringify({ talaria_export: 1, session: {}, messages: [] }));
    await pass(1_000);
    expect(calls.find(({ path }) => path === "/api/sessions/import")?.body).toMatchObject({
      talaria_export: 1,
      profile: "work",
    });
  });

  it("that is gone falls back to default", async () => {
    const { workbench, calls } = setUp({ choice: "gone" });
    await pass(1_000);
    void workbench.send(null, "hello");
    await pass(1_000);
    expect(calls.find((c) => c.method === "POST" && c.path === "/api/sessions")?.body).toMatchObject({
      profile: "default",
    });
  });

  it("that went while the page was open sends nothing to another profile: the text comes back", async () => {
    const { workbench, server, profiles } = setUp({ choice: "work" });
    await pass(1_000);
    server.profiles.delete("work");
    const sent = workbench.send(null, "hello");
    await pass(3_000);
    expect(await sent).toBe(false);
    expect(server.sessions.size).toBe(1);
    expect(profiles().items.map(({ name }) => name)).toEqual(["default"]);
  });

  it("of another tab counts for the next new session", async () => {
    const page = setUp({ choice: null }, "s");
    await pass(1_000);
    page.browser.choice = "work";
    expect(page.profiles().chosen).toBe("default");
    page.workbench.select(null);
    expect(page.profiles().chosen).toBe("work");
  });
});

describe("live", () => {
  it("a hint about a profile reads list and open profile again; swarms cost one read in two seconds", async () => {
    const { workbench, server, profiles, hint, count } = setUp();
    workbench.profiles.open("work");
    await pass(5_000);
    const before = count("GET", "/api/profiles?all=true");
    server.profiles.set("work", profile("work", { display_name: "Elsewhere", bot_name: "Obryn" }));
    const beat = async (): Promise<void> => {
      hint({ profile: "work" });
      await pass(100);
    };
    for (let i = 0; i < 15; i++) await beat();
    expect(profiles().items.find(({ name }) => name === "work")?.display_name).toBe("Elsewhere");
    expect(profiles().panel?.profile?.bot_name).toBe("Obryn");
    expect(count("GET", "/api/profiles?all=true")).toBe(before + 1);
    await pass(5_000);
    expect(count("GET", "/api/profiles?all=true")).toBe(before + 2); // the last hint is not lost
  });

  it("a profile that was deleted elsewhere: its session in view is gone, the list is not filtered by it any more", async () => {
    const { workbench, server, hint } = setUp({ choice: null }, "s");
    workbench.filter({ archived: false, source: null, profile: "work" });
    await pass(5_000);
    server.profiles.delete("work");
    server.sessions.delete("s");
    hint({ profile: "work" });
    await pass(3_000);
    expect(workbench.getState().open.get("s")?.phase).toBe("missing");
    expect(workbench.getState().list.filter.profile).toBeNull();
  });

  it("a read that was sent before a change was saved does not take the change back", async () => {
    const { workbench, server, profiles } = setUp();
    workbench.profiles.open("work");
    await pass(1_000);
    const held = Promise.withResolvers<void>();
    server.hold = held.promise;
    workbench.profiles.refresh();
    await pass(10);
    server.hold = null;
    const changed = workbench.profiles.change("work", { bot_name: "Obryn" });
    await pass(10);
    expect((await changed).ok).toBe(true);
    const seen = new Set<unknown>([profiles().panel?.profile?.bot_name]);
    workbench.subscribe(() => seen.add(profiles().panel?.profile?.bot_name));
    held.resolve();
    await pass(3_000);
    expect([...seen]).toEqual(["Obryn"]);
  });
});

describe("commands", () => {
  it("a refusal is answered with code, fields and runs, and shown nowhere else", async () => {
    const { workbench, server } = setUp();
    await pass(1_000);
    server.refuse = {
      status: 409,
      error: { code: "profile_busy", message: "busy", details: { run_ids: ["a", "b"] } },
    };
    const busy = workbench.profiles.remove("work");
    await pass(100);
    expect(await busy).toMatchObject({ ok: false, problem: { code: "profile_busy", runs: 2 } });
    const details = [{ path: "bot_name", message: "too long" }];
    server.refuse = { status: 400, error: { code: "invalid_request", message: "no", details } };
    const wrong = workbench.profiles.change("work", { bot_name: "x" });
    await pass(100);
    expect(await wrong).toMatchObject({ ok: false, problem: { code: "invalid_request", faults: details } });
    expect(workbench.getState().toasts).toEqual([]);
  });

  it("P-25 a key's value is in the request and nowhere in the state, saved or refused", async () => {
    const { workbench, server, calls, profiles } = setUp();
    workbench.profiles.open("work");
    await pass(1_000);
    const set = workbench.profiles.setKey("work", "OPENAI_API_KEY", "sk-canary-1");
    await pass(1_000);
    expect((await set).ok).toBe(true);
    expect(profiles().panel?.profile?.keys).toEqual([{ name: "OPENAI_API_KEY", set: true }]);
    server.refuse = { status: 422, error: { code: "key_refused", message: "no" } };
    const refused = workbench.profiles.setKey("work", "OTHER", "sk-canary-2");
    await pass(1_000);
    expect(calls.filter(({ body }) => /canary/.test(JSON.stringify(body)))).toHaveLength(2);
    expect(JSON.stringify([workbench.getState(), await refused])).not.toContain("canary");
  });

  it("deleting takes its sessions out of the page, and the choice falls back", async () => {
    const { workbench, browser } = setUp({ choice: "work" }, "s");
    workbench.profiles.open("work");
    await pass(1_000);
    void workbench.profiles.remove("work");
    await pass(1_000);
    const state = workbench.getState();
    expect([state.selected, state.open.has("s"), browser.choice]).toEqual([null, false, "default"]);
    expect(state.profiles.panel).toMatchObject({ name: null, profile: null });
  });

  it("the provider is asked for its models when a profile is opened and when its model settings were changed", async () => {
    const { workbench, profiles, count } = setUp();
    workbench.profiles.open("work");
    await pass(1_000);
    expect(profiles().panel?.models).toEqual({ phase: "ready", ids: ["m1", "m2"], message: null });
    void workbench.profiles.change("work", { bot_name: "x" });
    await pass(1_000);
    expect(count("GET", "/api/models")).toBe(1);
    void workbench.profiles.change("work", { model: { default: "m2" } });
    await pass(1_000);
    expect(count("GET", "/api/models")).toBe(2);
  });
});
