import { describe, expect, it } from "@jest/globals";
import type { UpdateTarget } from "../../common/contracts/update.ts";
import { answer, openPage, pass, stopTime } from "./page.ts";

const TARGET: UpdateTarget = {
  name: "Talaria",
  current: "a".repeat(40),
  latest: "b".repeat(40),
  behind: 3,
  compare_url: null,
  subjects: [],
  more: false,
};

/** A page on a server that knows of an update, and tells it when `updates` does not refuse. */
const setUp = (updates: { refuse: number | null }) => {
  let asked = 0;
  const request = (async (url: string) => {
    if (url.startsWith("/api/events")) return new Response(new ReadableStream());
    if (url === "/api/updates") {
      asked += 1;
      return updates.refuse === null
        ? answer({ targets: [TARGET] })
        : answer({ error: { code: "refused", message: "Not now." } }, updates.refuse);
    }
    return answer({ data: [], next_cursor: null, bot_name: "Hermes" });
  }) as typeof fetch;
  const { workbench, comeBack } = openPage(request);
  return { workbench, comeBack, asked: () => asked };
};

stopTime();

describe("whether anything newer is known", () => {
  it("is asked again with the login, when it was refused without one", async () => {
    const updates = { refuse: 401 as number | null };
    const { workbench } = setUp(updates);
    await pass(1_000);
    expect(workbench.updates.getState().targets).toEqual([]);
    updates.refuse = null;
    expect(await workbench.signIn("secret")).toBeNull();
    await pass(1_000);
    expect(workbench.updates.getState().targets).toEqual([TARGET]);
  });

  it("is asked again with the next look at the page after a failure, and only after an hour once it was told", async () => {
    const updates = { refuse: 503 as number | null };
    const { workbench, comeBack, asked } = setUp(updates);
    await pass(1_000);
    updates.refuse = null;
    for (let n = 0; n < 3; n++) {
      comeBack();
      await pass(1_000);
    }
    expect(workbench.updates.getState().targets).toEqual([TARGET]);
    expect(asked()).toBe(2);
    await pass(60 * 60 * 1_000);
    comeBack();
    expect(asked()).toBe(3);
  });
});
