import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { describe, expect, test } from "@jest/globals";
import { createDemoEndpoint } from "../../../workers/engines/demo/endpoint.ts";
import { createTitleGenerator } from "../../../workers/titles/generate.ts";
import { EXCHANGE, faulty, generateWith, NO_DEMO, routeTo, sentTo, withAnswers } from "./harness.ts";

const FALLBACK = "fix login bug login.ts";

describe("a title from a model", () => {
  test("is asked for once, with 512 tokens and the route's temperature, and cleaned", () =>
    withAnswers(['**Title:** "Login Bug Fix".'], async (server) => {
      const outcome = await generateWith([routeTo(server, { temperature: 0.2 })]);
      expect(outcome).toEqual({ kind: "generated", title: "Login Bug Fix", calls: 1 });
      expect(sentTo(server)).toHaveLength(1);
      expect(sentTo(server)[0]).toMatchObject({
        model: "m",
        max_tokens: 512,
        temperature: 0.2,
        reasoning_effort: "none",
      });
      const [system, user] = sentTo(server)[0]?.messages ?? [];
      expect(system?.content).toContain("3 to 8 words");
      expect(user?.content).toContain(EXCHANGE.userText);
      expect(user?.content).toContain(EXCHANGE.assistantText);
    }));

  test("the shorter prompt is tried once the first gave nothing usable", () =>
    withAnswers(["Okay, so the user wants a title", "Login Bug Fix"], async (server) => {
      expect(await generateWith([routeTo(server)])).toEqual({
        kind: "generated",
        title: "Login Bug Fix",
        calls: 2,
      });
      const [first, second] = sentTo(server).map(({ messages }) =>
        messages.map(({ content }) => content).join(),
      );
      expect(second?.length).toBeLessThan(first?.length ?? 0);
    }));

  test("B-15 title-language: of three answers to a Japanese conversation only the Japanese one with Python in it is taken", () =>
    withAnswers(["东京旅游计划", "Planning a Trip to Tokyo", "Pythonで東京旅行の計画"], async (server) => {
      const exchange = {
        userText: "東京旅行の計画を立ててください。予算は10万円です。",
        assistantText: "はい。",
      };
      const routes = [routeTo(server, { name: "auxiliary" }), routeTo(server)];
      expect(await generateWith(routes, { exchange })).toEqual({
        ...{ kind: "generated", title: "Pythonで東京旅行の計画", calls: 3 },
      });
    }));

  test("the demo model makes one, too, whatever its keywords in the message", async () => {
    const demo = createDemoEndpoint({ rate: 0 });
    try {
      const model = { provider: "demo", model: "demo", baseUrl: null, apiKey: null };
      const exchange = { userText: "Why is there an error, a flaky test? Think!", assistantText: "Because." };
      const outcome = await generateWith(
        [routeTo({ url: "" }, { model })],
        { exchange },
        createTitleGenerator({ demo }),
      );
      expect(outcome).toEqual({ kind: "generated", title: "Why is there an error, a", calls: 1 });
    } finally {
      await demo.close();
    }
  });
});

describe("B-13 bounded cost", () => {
  test("reasoning-only-model: exactly one call, then the fallback, though there is another route", () =>
    withAnswers([{ reasoning: "The user wants a title …", text: "" }], async (server) => {
      const routes = [routeTo(server, { name: "auxiliary" }), routeTo(server)];
      expect(await generateWith(routes)).toEqual({
        ...{ kind: "fallback", title: FALLBACK, calls: 1, reason: "reasoning_only" },
      });
      expect(server.stats().requests).toBe(1);
    }));

  test.each([
    ["in the text", { text: "<think>The user wants a title" }],
    ["cut by length", { reasoning: "The user wants", text: "", directives: { finish: "length" } }],
  ])("reasoning-only-model: thoughts %s count the same", (_where, script) =>
    withAnswers([script], async (server) => {
      expect(await generateWith([routeTo(server)])).toMatchObject({ calls: 1, reason: "reasoning_only" });
    }),
  );

  test("an answer cut by length is asked for once more, with 1024 tokens", () =>
    withAnswers([faulty({ finish: "length" }, "Login Bug Fi"), "Login Bug Fix"], async (server) => {
      expect(await generateWith([routeTo(server)])).toEqual({
        kind: "generated",
        title: "Login Bug Fix",
        calls: 2,
      });
      expect(sentTo(server).map((body) => body.max_tokens)).toEqual([512, 1024]);
    }));

  test("nothing but a cut asks with 1024 tokens", () =>
    withAnswers(["Done", "Thanks"], async (server) => {
      expect(await generateWith([routeTo(server)])).toMatchObject({
        kind: "fallback",
        calls: 2,
        reason: "echo",
      });
      expect(sentTo(server).map((body) => body.max_tokens)).toEqual([512, 512]);
    }));

  test("a cut answer whose first line is whole needs no second call; its last line is never taken", () =>
    withAnswers([faulty({ finish: "length" }, "Login Bug Fix\n\nThis title")], async (server) => {
      expect(await generateWith([routeTo(server)])).toMatchObject({ title: "Login Bug Fix", calls: 1 });
    }).then(() =>
      withAnswers(
        [faulty({ finish: "length" }, "Here is the title:\nLogin B"), "Login Bug Fix"],
        async (server) => {
          expect(await generateWith([routeTo(server)])).toMatchObject({ title: "Login Bug Fix", calls: 2 });
        },
      ),
    ));

  test("four calls in all, however many prompts and routes are left", () =>
    withAnswers([faulty({ finish: "length" }, "Login B")], async (server) => {
      const routes = [routeTo(server, { name: "auxiliary" }), routeTo(server), routeTo(server)];
      expect(await generateWith(routes)).toEqual({
        kind: "fallback",
        title: FALLBACK,
        calls: 4,
        reason: "cut",
      });
      expect(sentTo(server).map((body) => body.max_tokens)).toEqual([512, 1024, 512, 1024]);
    }));

  test("a rejected parameter that the provider names is left out, now and in later jobs", () =>
    withAnswers([faulty({ reject: "reasoning_effort" })], async (server) => {
      const generate = createTitleGenerator({ demo: NO_DEMO });
      const expected = { kind: "generated", title: "Login Bug Fix" };
      expect(await generateWith([routeTo(server)], {}, generate)).toEqual({ ...expected, calls: 2 });
      expect(await generateWith([routeTo(server)], {}, generate)).toEqual({ ...expected, calls: 1 });
      const sent = sentTo(server).map(({ reasoning_effort: effort, temperature }) => [effort, temperature]);
      expect(sent).toEqual([
        ["none", 0.1],
        [undefined, 0.1],
        [undefined, 0.1],
      ]);
    }));

  test("a named one is remembered though the next answer fails", () =>
    withAnswers(
      [faulty({ reject: "temperature" }), faulty({ fail: 500 }), "Login Bug Fix"],
      async (server) => {
        const generate = createTitleGenerator({ demo: NO_DEMO });
        expect(await generateWith([routeTo(server)], {}, generate)).toMatchObject({
          kind: "fallback",
          calls: 2,
        });
        await generateWith([routeTo(server)], {}, generate);
        expect(sentTo(server).map(({ temperature }) => temperature)).toEqual([0.1, undefined, undefined]);
      },
    ));

  test("several, one after the other", () =>
    withAnswers([faulty({ reject: "reasoning_effort+temperature+max_tokens" })], async (server) => {
      expect(await generateWith([routeTo(server)])).toMatchObject({ kind: "generated", calls: 4 });
      const last = sentTo(server).at(-1);
      expect([last?.reasoning_effort, last?.temperature, last?.max_tokens]).toEqual([
        undefined,
        undefined,
        undefined,
      ]);
    }));

  test("a rejection without a name leaves out all wishes, and is remembered once that helped", () =>
    withAnswers([faulty({ reject: "temperature", unnamed: 1 })], async (server) => {
      const generate = createTitleGenerator({ demo: NO_DEMO });
      expect(await generateWith([routeTo(server)], {}, generate)).toMatchObject({
        kind: "generated",
        calls: 2,
      });
      expect(await generateWith([routeTo(server)], {}, generate)).toMatchObject({
        kind: "generated",
        calls: 1,
      });
      expect(sentTo(server).map(({ temperature }) => temperature)).toEqual([0.1, undefined, undefined]);
    }));

  test("a request that is refused for another reason is tried without wishes once, and nothing is remembered", () =>
    withAnswers([faulty({ fail: 400 }), faulty({ fail: 400 }), "Login Bug Fix"], async (server) => {
      const generate = createTitleGenerator({ demo: NO_DEMO });
      expect(await generateWith([routeTo(server)], {}, generate)).toMatchObject({
        kind: "fallback",
        calls: 2,
      });
      expect(await generateWith([routeTo(server)], {}, generate)).toMatchObject({
        kind: "generated",
        calls: 1,
      });
      expect(sentTo(server).at(-1)?.temperature).toBe(0.1);
    }));
});

describe("the other route", () => {
  test.each([
    ["refuses the key", { fail: 401 }],
    ["is overloaded", { fail: 503 }],
    ["limits its rate", { fail: 429, after: "30" }],
    ["breaks its answer off", { cut: 0 }],
  ])("is asked once when the first %s", (_what, directives) =>
    withAnswers([faulty(directives)], (broken) =>
      withAnswers(["Login Bug Fix"], async (working) => {
        const titles = { provider: "custom", model: "small", baseUrl: broken.url, apiKey: "titles-key" };
        const routes = [
          routeTo(broken, { name: "auxiliary", model: titles, temperature: 0.2 }),
          routeTo(working),
        ];
        expect(await generateWith(routes)).toEqual({ kind: "generated", title: "Login Bug Fix", calls: 2 });
        expect([broken, working].map((server) => server.stats().requests)).toEqual([1, 1]);
      }),
    ),
  );

  test("is asked when nobody listens at the first, and when that has no address or no key", () =>
    withAnswers(["Login Bug Fix"], async (working) => {
      const nobody = await withAnswers([""], async ({ url }) => url);
      for (const model of [
        { provider: "custom", model: "m", baseUrl: nobody, apiKey: null },
        { provider: "custom", model: "m", baseUrl: null, apiKey: null },
        { provider: "openai", model: "m", baseUrl: null, apiKey: null },
        { provider: "custom", model: "m", baseUrl: "ftp://user:secret@host/", apiKey: null },
      ])
        expect(await generateWith([routeTo(working, { model }), routeTo(working)])).toMatchObject({
          ...{ kind: "generated", title: "Login Bug Fix" },
        });
    }));

  test("failures on both end in the fallback, and in nothing where the user's words give none", () =>
    withAnswers([faulty({ fail: 500 })], async (server) => {
      const routes = [routeTo(server, { name: "auxiliary" }), routeTo(server)];
      const expected = { calls: 2, reason: "provider_unavailable" };
      expect(await generateWith(routes)).toEqual({ kind: "fallback", title: FALLBACK, ...expected });
      const exchange = { userText: "hi", assistantText: "Hello!" };
      expect(await generateWith(routes, { exchange })).toEqual({ kind: "none", ...expected });
    }));

  test("without any route, and without anything said, no call is made", async () => {
    expect(await generateWith([])).toEqual({
      kind: "fallback",
      title: FALLBACK,
      calls: 0,
      reason: "no_route",
    });
    await withAnswers(["x"], async (server) => {
      const exchange = { userText: "[Attached files: a.png]", assistantText: "" };
      expect(await generateWith([routeTo(server)], { exchange })).toEqual({
        kind: "none",
        calls: 0,
        reason: "no_text",
      });
      expect(server.stats().requests).toBe(0);
    });
  });
});

describe("B-16 without a provider", () => {
  test("fallback-keeps-umlauts", async () => {
    const exchange = { userText: "Bitte führe die Tests aus", assistantText: "Alle Tests laufen." };
    expect(await generateWith([], { exchange })).toMatchObject({ kind: "fallback", title: "führe Tests" });
  });

  test("fallback-cjk", async () => {
    const exchange = { userText: "你好，请帮我写一个Python爬虫抓取新闻标题", assistantText: "好的。" };
    expect(await generateWith([], { exchange })).toMatchObject({ title: "写一个Python爬虫抓取新闻标题" });
  });
});

describe("B-7 hung-provider", () => {
  test("a provider that accepts and never answers costs one time limit, then the other route is asked", () =>
    withAnswers([faulty({ stall: 0 })], (hung) =>
      withAnswers(["Login Bug Fix"], async (working) => {
        const start = performance.now();
        const routes = [routeTo(hung, { name: "auxiliary", timeoutMs: 200 }), routeTo(working)];
        expect(await generateWith(routes)).toEqual({ kind: "generated", title: "Login Bug Fix", calls: 2 });
        expect(performance.now() - start).toBeLessThan(20_000);
        expect(hung.stats().requests).toBe(1);
      }),
    ));

  test("hung on every route it ends in time with the fallback", () =>
    withAnswers([faulty({ stall: 0 })], async (hung) => {
      const routes = [
        routeTo(hung, { name: "auxiliary", timeoutMs: 100 }),
        routeTo(hung, { timeoutMs: 100 }),
      ];
      expect(await generateWith(routes)).toEqual({
        kind: "fallback",
        title: FALLBACK,
        calls: 2,
        reason: "timeout",
      });
    }));

  test("a client that does not react to its signal does not hold the job either", async () => {
    const deaf: typeof fetch = () => new Promise(() => undefined);
    const generate = createTitleGenerator({ demo: NO_DEMO, fetch: deaf });
    const route = routeTo({ url: "http://127.0.0.1:9/v1" }, { timeoutMs: 50 });
    expect(await generateWith([route], {}, generate)).toMatchObject({ reason: "timeout" });
  });
});

describe("a stop", () => {
  test("rejects with its reason at once and ends the request", () =>
    withAnswers([faulty({ stall: 0 })], async (hung) => {
      const stop = new AbortController();
      const reason = new Error("the session is gone");
      const routes = [routeTo(hung, { timeoutMs: 60_000 }), routeTo(hung)];
      const running = generateWith(routes, { signal: stop.signal });
      while (hung.stats().open === 0) await new Promise((resolve) => setImmediate(resolve));
      const start = performance.now();
      stop.abort(reason);
      await expect(running).rejects.toBe(reason);
      expect(performance.now() - start).toBeLessThan(30_000);
      while (hung.stats().open > 0) await new Promise((resolve) => setImmediate(resolve));
      expect(hung.stats().requests).toBe(1);
    }));

  test("before the start makes no call", () =>
    withAnswers(["x"], async (server) => {
      const signal = AbortSignal.abort(new Error("too late"));
      await expect(generateWith([routeTo(server)], { signal })).rejects.toThrow("too late");
      expect(server.stats().requests).toBe(0);
    }));
});

describe("security-contract 11", () => {
  test("no redirect is followed, so the key stays where it belongs", () =>
    withAnswers(["Login Bug Fix"], async (thief) => {
      const server = createServer((_request, response) => {
        response.writeHead(307, { location: `${thief.url}/chat/completions` }).end();
      });
      await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
      try {
        const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1`;
        expect(await generateWith([routeTo({ url })])).toMatchObject({ kind: "fallback", calls: 1 });
        expect(thief.stats().requests).toBe(0);
      } finally {
        server.close();
      }
    }));

  test("an endless answer is given up long before the time limit", async () => {
    const server = createServer((_request, response) => {
      response.writeHead(200, { "content-type": "application/json" });
      const more = (): void => {
        if (response.destroyed) return;
        if (response.write(" ".repeat(65_536))) setImmediate(more);
        else response.once("drain", more);
      };
      more();
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    try {
      const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1`;
      const outcome = await generateWith([routeTo({ url }, { timeoutMs: 20_000 })]);
      expect(outcome).toMatchObject({ kind: "fallback", calls: 1, reason: "error" });
    } finally {
      server.close();
      server.closeAllConnections();
    }
  });

  test("neither the key nor what was said is logged", () =>
    withAnswers([faulty({ fail: 401 }), "Okay, so the user wants it", "Login Bug Fix"], async (server) => {
      const lines: string[] = [];
      const log = { debug: (...line: unknown[]) => void lines.push(JSON.stringify(line)) };
      await generateWith([routeTo(server, { name: "auxiliary" }), routeTo(server)], { log });
      expect(lines.length).toBeGreaterThanOrEqual(3);
      expect(lines.join()).not.toMatch(/route-key|login|Okay|token was/i);
    }));

  test("a key that no header can hold fails the route and is not quoted", () =>
    withAnswers(["Login Bug Fix"], async (server) => {
      const lines: string[] = [];
      const log = { debug: (...line: unknown[]) => void lines.push(JSON.stringify(line)) };
      const model = { provider: "custom", model: "m", baseUrl: server.url, apiKey: "two\nlines" };
      expect(await generateWith([routeTo(server, { model })], { log })).toMatchObject({ kind: "fallback" });
      expect(lines.join()).not.toMatch(/two|lines/);
      expect(server.stats().requests).toBe(0);
    }));
});

describe("the request's shape", () => {
  test("each route has its own key", () =>
    withAnswers([faulty({ fail: 500 })], async (first) => {
      const keys: (string | undefined)[] = [];
      const spying: typeof fetch = (input, init) => {
        keys.push(new Headers(init?.headers).get("authorization") ?? undefined);
        return fetch(input, init);
      };
      const bare = { provider: "custom", model: "m", baseUrl: first.url, apiKey: null };
      const generate = createTitleGenerator({ demo: NO_DEMO, fetch: spying });
      await generateWith([routeTo(first, { name: "auxiliary", model: bare }), routeTo(first)], {}, generate);
      expect(keys).toEqual([undefined, "Bearer route-key"]);
    }));
});
