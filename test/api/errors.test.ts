import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import { TalariaError } from "../../common/base/errors.ts";
import { postJson, startApi, type TestApi, withApi } from "../helpers/api-server.ts";

const failing: readonly (readonly [string, unknown, number, string, boolean])[] = [
  ["our own error", new TalariaError("conflict", "no"), 409, "conflict", false],
  ["a bug", new TypeError("secret path /home/x"), 500, "internal_error", false],
  ["a thrown string", "oops", 500, "internal_error", false],
  ["a full disk", Object.assign(new Error("full"), { code: "SQLITE_FULL" }), 507, "storage_full", false],
  [
    "a locked database",
    Object.assign(new Error("busy"), { code: "SQLITE_BUSY" }),
    503,
    "store_unavailable",
    true,
  ],
  [
    "a refused connection",
    Object.assign(new Error("x"), { code: "ECONNREFUSED" }),
    503,
    "redis_unavailable",
    true,
  ],
  ["a closed connection", new Error("Connection is closed."), 503, "redis_unavailable", true],
  ["Redis away", new TalariaError("redis_unavailable", "away"), 503, "redis_unavailable", true],
];

describe("one error handler", () => {
  let api: TestApi;
  let thrown: unknown;
  beforeAll(async () => {
    const exists = async (): Promise<never> => {
      throw thrown;
    };
    const [list, get, canonical, create] = [exists, exists, exists, exists];
    const [patch, setKey, unsetKey, remove] = [exists, exists, exists, exists];
    api = await startApi({
      profiles: { list, get, canonical, create, patch, setKey, unsetKey, remove },
    });
  });
  afterAll(() => api.close());

  test.each(failing)("%s", async (_name, error, status, code, retry) => {
    thrown = error;
    api.logged.length = 0;
    const answer = await postJson(`${api.url}/api/sessions`, {});
    expect(answer.status).toBe(status);
    expect(answer.headers.has("retry-after")).toBe(retry);
    const text = await answer.text();
    expect(JSON.parse(text)).toMatchObject({ error: { code } });
    expect(text).not.toMatch(/secret|stack|\.ts/);
    const lines = api.logged.filter((line) => line.includes("a request failed"));
    expect(lines).toHaveLength(status >= 500 ? 1 : 0);
    if (code === "internal_error" && error instanceof Error)
      expect(JSON.parse(lines[0] ?? "{}")).toMatchObject({
        err: { message: error.message },
        request_id: answer.headers.get("x-request-id"),
      });
  });

  test("a validation error names each fault", async () => {
    const answer = await postJson(`${api.url}/api/sessions`, { title: "", model: 1 });
    expect(answer.status).toBe(400);
    const { error } = (await answer.json()) as { error: { code: string; details: { path: string }[] } };
    expect(error.code).toBe("invalid_request");
    expect(error.details.map((detail) => detail.path).sort()).toEqual(["model", "title"]);
  });

  test("a database that is gone is 503 and worth coming back", () =>
    withApi({}, async (broken) => {
      await broken.lifecycle.close();
      await broken.db.close();
      const answer = await fetch(`${broken.url}/api/sessions/x`);
      expect(answer.status).toBe(503);
      expect(answer.headers.has("retry-after")).toBe(true);
      expect(await answer.json()).toMatchObject({ error: { code: "store_unavailable" } });
    }));
});

describe("health", () => {
  test("ready only when every check is content, and /metrics says which are", () =>
    withApi(
      {
        health: {
          checks: {
            fine: async () => null,
            redis: async () => "cannot be reached",
            broken: async () => Promise.reject(new Error("secret")),
          },
        },
      },
      async (api) => {
        expect((await fetch(`${api.url}/healthz`)).status).toBe(200);
        const ready = await fetch(`${api.url}/readyz`);
        expect(ready.status).toBe(503);
        expect(await ready.json()).toEqual({
          ready: false,
          reasons: { redis: "cannot be reached", broken: "failed" },
        });
        const metrics = await (await fetch(`${api.url}/metrics`)).text();
        expect(metrics.match(/^talaria_ready\{.*$/gm)).toEqual([
          'talaria_ready{check="fine"} 1',
          'talaria_ready{check="redis"} 0',
          'talaria_ready{check="broken"} 0',
        ]);
      },
    ));

  test("metrics are labelled by the address' template, never by ids", () =>
    withApi({}, async (api) => {
      await fetch(`${api.url}/api/sessions/s_canary`);
      const metrics = await fetch(`${api.url}/metrics`);
      expect(metrics.headers.get("content-type")).toMatch(/^text\/plain/);
      const text = await metrics.text();
      expect(text).toContain(
        'talaria_http_request_duration_seconds_count{method="GET",route="/api/sessions/:id",status="404"} 1',
      );
      expect(text).toContain("talaria_sse_followers 0");
      expect(text).not.toContain("s_canary");
    }));
});
