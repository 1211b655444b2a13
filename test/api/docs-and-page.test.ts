import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import { rawRequest, startApi, statusOf, type TestApi, withApi } from "../helpers/api-server.ts";

describe("the API's description", () => {
  test("is OpenAPI 3.1 with every route, and its references hold", () =>
    withApi({}, async (api) => {
      const text = await (await fetch(`${api.url}/api/openapi.json`)).text();
      const document = JSON.parse(text) as {
        openapi: string;
        paths: Record<string, Record<string, { requestBody?: unknown; parameters?: { name: string }[] }>>;
        components: { schemas: Record<string, unknown> };
      };
      expect(document.openapi).toBe("3.1.0");
      expect(Object.keys(document.paths)).toEqual(
        expect.arrayContaining([
          "/api/sessions",
          "/api/sessions/{id}",
          "/api/sessions/{id}/messages",
          "/api/sessions/{id}/head",
          "/api/sessions/heads",
          "/api/sessions/{id}/runs",
          "/api/sessions/{id}/events",
          "/api/runs",
          "/api/runs/{id}",
          "/api/runs/{id}/cancel",
          "/api/runs/{id}/events",
          "/api/events",
          "/api/settings",
          "/api/profiles",
          "/api/profiles/{name}",
          "/api/profiles/{name}/keys",
          "/api/profiles/{name}/keys/{key}",
          "/api/models",
          "/api/login",
          "/api/logout",
        ]),
      );
      const start = document.paths["/api/sessions/{id}/runs"]?.post;
      expect(start?.parameters?.map((parameter) => parameter.name).sort()).toEqual(["id", "idempotency-key"]);
      expect(JSON.stringify(start?.requestBody)).toContain("#/components/schemas/StartRun");
      for (const [, name] of text.matchAll(/"#\/components\/schemas\/([^"]+)"/g))
        expect(document.components.schemas).toHaveProperty([name ?? ""]);
      expect(document.components.schemas).toHaveProperty(["Event.token"]);
    }));

  test("is a page without script, inline style or anything from elsewhere", () =>
    withApi({}, async (api) => {
      const answer = await fetch(`${api.url}/api/docs`);
      expect(answer.headers.get("content-type")).toMatch(/^text\/html/);
      const html = await answer.text();
      expect(html).not.toMatch(/<script|style=|<style|onclick|https?:\/\//i);
      expect(html).toContain("/api/sessions/{id}/runs");
      const [, css] = /<link rel="stylesheet" href="([^"]+)">/.exec(html) ?? [];
      const style = await fetch(api.url + css);
      expect(style.headers.get("content-type")).toMatch(/^text\/css/);
      expect(await style.text()).not.toMatch(/url\(|@import/);
    }));
});

describe("the page", () => {
  let api: TestApi;
  const dir = mkdtempSync(join(tmpdir(), "talaria-web-"));
  beforeAll(async () => {
    mkdirSync(join(dir, "web/assets"), { recursive: true });
    writeFileSync(join(dir, "web/index.html"), "<!doctype html><title>Talaria</title>");
    writeFileSync(join(dir, "web/favicon.svg"), "<svg/>");
    writeFileSync(join(dir, "web/assets/app-1a2b.js"), "1;");
    writeFileSync(join(dir, "secret"), "swordfish");
    api = await startApi({ webDir: join(dir, "web") });
  });
  afterAll(async () => {
    await api.close();
    rmSync(dir, { recursive: true });
  });
  const html = { accept: "text/html" };

  test("is served at / and at every address that a browser opens", async () => {
    for (const path of ["/", "/s/abc", "/ops", "/index.html"]) {
      const answer = await fetch(api.url + path, { headers: html });
      expect(answer.status).toBe(200);
      expect(answer.headers.get("cache-control")).toBe("no-cache");
      expect(await answer.text()).toContain("<title>Talaria");
    }
    expect((await fetch(`${api.url}/`)).status).toBe(200);
  });
  test("assets are kept for ever; missing ones are 404 and never the page", async () => {
    const asset = await fetch(`${api.url}/assets/app-1a2b.js`);
    expect(asset.headers.get("cache-control")).toBe("public, max-age=31536000, immutable");
    expect(await asset.text()).toBe("1;");
    expect((await fetch(`${api.url}/assets/gone.js`, { headers: html })).status).toBe(404);
    expect((await fetch(`${api.url}/favicon.svg`)).headers.get("cache-control")).toBe("no-cache");
  });
  test("an unknown address under /api or /ops is JSON even for a browser", async () => {
    for (const path of ["/api/nothing", "/api", "/ops/nothing", "/ops/queues", "/ops/"]) {
      const answer = await fetch(api.url + path, { headers: html });
      expect([path, answer.status]).toEqual([path, 404]);
      expect(answer.headers.get("content-type")).toMatch(/^application\/json/);
    }
    expect((await fetch(`${api.url}/s/abc`, { method: "POST", headers: html })).status).toBe(404);
    expect((await fetch(`${api.url}/s/abc`, { headers: { accept: "application/json" } })).status).toBe(404);
  });
  test("nothing outside its folder is reachable", async () => {
    for (const path of [
      "/../secret",
      "/assets/../../secret",
      "/..%2fsecret",
      "/assets/..%2f..%2fsecret",
      "//secret",
      "/%2e%2e/secret",
    ]) {
      const answer = await rawRequest(
        api.port,
        `GET ${path} HTTP/1.1\r\nHost: localhost:${api.port}\r\nConnection: close\r\n\r\n`,
      );
      expect(answer).not.toContain("swordfish");
      expect(statusOf(answer)).toBeGreaterThanOrEqual(400);
      expect(statusOf(answer)).toBeLessThan(500);
    }
  });
  test("without a build it says how to get one", () =>
    withApi({}, async (bare) => {
      const answer = await fetch(`${bare.url}/`, { headers: html });
      expect(answer.status).toBe(503);
      expect(await answer.text()).toContain("npm run build");
    }));
});
