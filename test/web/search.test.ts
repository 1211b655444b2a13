import { describe, expect, it } from "@jest/globals";
import { NO_FILTER } from "../../api/web/model/session-list.ts";
import { answer, openPage, pass, stopTime } from "./page.ts";
import { session } from "./story.ts";

/** A server that finds one message for whatever is asked. */
const setUp = () => {
  const searches: string[] = [];
  const request = (async (url: string) => {
    if (url.startsWith("/api/events")) return new Response(new ReadableStream());
    const base = { data: [] as unknown[], next_cursor: null, indexing: false, bot_name: "Hermes" };
    if (!url.startsWith("/api/search")) return answer(base);
    searches.push(url);
    const hit = {
      session: session("s"),
      message_id: "1",
      role: "user",
      snippet: "",
      matches: [],
      created_at: 1,
    };
    return answer({ ...base, data: [hit] });
  }) as typeof fetch;
  const { workbench } = openPage(request);
  return { workbench, searches, search: () => workbench.getState().search };
};

stopTime();

describe("the messages that were found", () => {
  it("stay, and are not asked for again, when the list is filtered by what a search does not know", async () => {
    const { workbench, searches, search } = setUp();
    workbench.search("words");
    await pass(1_000);
    const found = search();
    expect([found.phase, found.hits.length, searches.length]).toEqual(["ready", 1, 1]);
    workbench.filter({ ...NO_FILTER, archived: true });
    workbench.filter({ ...NO_FILTER, source: "cli" });
    await pass(1_000);
    expect(search()).toBe(found);
    expect(searches).toHaveLength(1);
  });

  it("are asked for again in another profile, and where they have not come yet", async () => {
    const { workbench, searches, search } = setUp();
    workbench.search("words");
    workbench.filter({ ...NO_FILTER, archived: true }); // before the search has begun
    await pass(1_000);
    expect([search().phase, searches.length]).toEqual(["ready", 1]);
    workbench.filter({ ...NO_FILTER, profile: "work" });
    expect(search().phase).toBe("loading");
    await pass(1_000);
    expect(search()).toMatchObject({ phase: "ready", profile: "work" });
    expect(searches[1]).toContain("profile=work");
  });
});
