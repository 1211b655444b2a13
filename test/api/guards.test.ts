import { gzipSync } from "node:zlib";
import { beforeAll, describe, expect, test } from "@jest/globals";
import { postJson, rawRequest, startApi, statusOf, type TestApi } from "../helpers/api-server.ts";

let api: TestApi;
beforeAll(async () => {
  api = await startApi({
    http: { allowedHosts: ["talaria.example", "lan.example:9000"] },
    server: { headersTimeoutMs: 400, requestTimeoutMs: 800 },
  });
});

const send = (request: string | Buffer, quietMs = 1500): Promise<string> =>
  rawRequest(api.port, request, quietMs);
const get = (path: string, headers: string): Promise<string> =>
  send(`GET ${path} HTTP/1.1\r\n${headers}Connection: close\r\n\r\n`);
const host = (): string => `Host: 127.0.0.1:${api.port}\r\n`;
const postBytes = (body: Buffer, type = "application/json", more = ""): Promise<string> =>
  send(
    Buffer.concat([
      Buffer.from(
        `POST /api/sessions HTTP/1.1\r\n${host()}Content-Type: ${type}\r\nContent-Length: ${body.length}\r\n${more}Connection: close\r\n\r\n`,
      ),
      body,
    ]),
  );
const post = (body: string, type?: string, more?: string): Promise<string> =>
  postBytes(Buffer.from(body), type, more);

describe("the Host header", () => {
  test.each(["127.0.0.1", "localhost", "LOCALHOST", "[::1]"])("%s with our port is ours", async (name) => {
    expect(statusOf(await get("/healthz", `Host: ${name}:${api.port}\r\n`))).toBe(200);
  });
  test("configured names are ours: without a port on any, with one on that", async () => {
    for (const name of ["talaria.example", "talaria.example:444", "lan.example:9000"])
      expect(statusOf(await get("/healthz", `Host: ${name}\r\n`))).toBe(200);
    expect(statusOf(await get("/healthz", "Host: lan.example:9001\r\n"))).toBe(421);
  });
  test.each([
    ["hostile 1, 52", "evil.example"],
    ["hostile 2", "127.0.0.1.evil.example"],
    ["no port", "127.0.0.1"],
    ["another port", "127.0.0.1:1"],
    ["a user part", "x@127.0.0.1"],
    ["an empty one", ""],
    ["a list", "127.0.0.1, evil.example"],
  ])("%s: %s is 421 on every address", async (_name, name) => {
    for (const path of ["/", "/healthz", "/api/sessions", "/metrics", "/nothing"])
      expect(statusOf(await get(path, `Host: ${name}\r\n`))).toBe(421);
  });
  test("hostile 3: two Hosts are 400, even behind thousands of other headers", async () => {
    expect(statusOf(await get("/healthz", `${host()}Host: evil.example\r\n`))).toBe(400);
    expect(statusOf(await get("/healthz", `${host()}${host()}`))).toBe(400);
    const many = "a:\r\n".repeat(2500);
    expect(statusOf(await get("/healthz", `${host()}${many}Host: evil.example\r\n`))).toBe(400);
  });
  test("hostile 4: no Host, HTTP/1.0 and no version are refused", async () => {
    expect(statusOf(await get("/healthz", ""))).toBe(400);
    expect(statusOf(await send(`GET /healthz HTTP/1.0\r\n${host()}\r\n`))).toBe(400);
    expect(await send("GET /healthz\r\n\r\n")).not.toMatch(/ 200 /);
  });
  test("hostile 5: a target with a foreign authority is 421, one with ours is served", async () => {
    expect(statusOf(await get("http://169.254.169.254/", host()))).toBe(421);
    expect(statusOf(await get("http://evil.example/api/sessions", host()))).toBe(421);
    expect(statusOf(await get("ftp://127.0.0.1/", host()))).toBe(400);
    expect(statusOf(await get(`http://127.0.0.1:${api.port}/healthz`, host()))).toBe(200);
    expect(statusOf(await get(`http://127.0.0.1:${api.port}/api/nothing`, host()))).toBe(404);
  });
});

describe("the shape of requests", () => {
  test.each([
    ["hostile 6: length and chunks", "Content-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"],
    ["hostile 7: two lengths", "Content-Length: 4\r\nContent-Length: 5\r\n\r\nabcd"],
    ["hostile 8: a negative length", "Content-Length: -1\r\n\r\n"],
    ["hostile 9: a chunk without end", "Transfer-Encoding: chunked\r\n\r\nFFFFFFFFFFFFFFFFF\r\nx"],
  ])("%s is 400 and answered once", async (_name, rest) => {
    const answer = await send(
      `POST /api/sessions HTTP/1.1\r\n${host()}Content-Type: application/json\r\n${rest}`,
    );
    expect(statusOf(answer)).toBe(400);
    expect(answer.match(/HTTP\/1\.1 /g)).toHaveLength(1);
    expect(JSON.parse(answer.slice(answer.indexOf("{")))).toMatchObject({
      error: { code: "invalid_request" },
    });
  });
  test("hostile 10, 11: headers or a body that never arrive are 408", async () => {
    expect(statusOf(await send(`GET /healthz HTTP/1.1\r\n${host()}X-Slow: `, 5000))).toBe(408);
    const slow = `POST /api/sessions HTTP/1.1\r\n${host()}Content-Type: application/json\r\nContent-Length: 9\r\n\r\n{`;
    expect(statusOf(await send(slow, 5000))).toBe(408);
  });
  test("hostile 12: a long address is refused", async () => {
    expect(statusOf(await get(`/${"a".repeat(70_000)}`, host()))).toBe(431);
    expect(statusOf(await get(`/api/sessions?q=${"a".repeat(9000)}`, host()))).toBe(400);
  });
  test("hostile 13: 4,000 headers are 431", async () => {
    const many = Array.from({ length: 4000 }, (_, i) => `x${i}: ${i}\r\n`).join("");
    expect(statusOf(await get("/healthz", host() + many))).toBe(431);
  });
  test.each([
    "/%zz",
    "/%00",
    "/%c0%ae",
    "/api/sessions/%zz",
    "/api/sessions/%c0%ae",
    "/api/runs/%00/events",
    "/assets/%c0%ae",
  ])("hostile 14: %s is a 4xx in JSON or a page, never a 5xx of ours", async (path) => {
    const answer = await get(path, host());
    expect(statusOf(answer)).toBeGreaterThanOrEqual(400);
    expect(statusOf(answer)).toBeLessThan(500);
    expect(answer).not.toMatch(/node_modules|at .*\.js/);
  });
  test("hostile 22: a method override is ignored", async () => {
    const answer = await send(
      `POST /api/sessions HTTP/1.1\r\n${host()}X-HTTP-Method-Override: DELETE\r\nContent-Length: 0\r\nConnection: close\r\n\r\n`,
    );
    expect(statusOf(answer)).toBe(201);
  });
  test("hostile 23: TRACE is 405, CONNECT and upgrades are refused", async () => {
    expect(statusOf(await send(`TRACE /api/sessions HTTP/1.1\r\n${host()}Connection: close\r\n\r\n`))).toBe(
      405,
    );
    expect(statusOf(await send(`CONNECT evil.example:443 HTTP/1.1\r\n${host()}\r\n`))).toBe(400);
    expect(
      statusOf(
        await send(
          `GET /api/sessions HTTP/1.1\r\n${host()}Connection: Upgrade\r\nUpgrade: websocket\r\n\r\n`,
        ),
      ),
    ).toBe(400);
  });
});

describe("where a request comes from", () => {
  const headers = (extra: string): string => `${host()}${extra}`;
  test.each([
    ["hostile 25: Origin evil", "Origin: https://evil.example\r\n"],
    ["hostile 25: Origin null", "Origin: null\r\n"],
    ["another port", "Origin: http://127.0.0.1:1\r\n"],
    ["hostile 51: cross-site", "Sec-Fetch-Site: cross-site\r\n"],
    ["same-site is another port", "Sec-Fetch-Site: same-site\r\n"],
    ["ours says, theirs is", "Sec-Fetch-Site: same-origin\r\nOrigin: https://evil.example\r\n"],
  ])("%s is 403 on reads, writes, streams and operations", async (_name, extra) => {
    for (const path of [
      "/api/sessions",
      "/api/events",
      "/api/login",
      "/api/nothing",
      "/metrics",
      "/ops/queues",
    ]) {
      const answer = await get(path, headers(extra));
      expect(statusOf(answer)).toBe(403);
      expect(answer).toContain("cross_origin");
    }
    expect(statusOf(await post("{}", undefined, extra))).toBe(403);
  });
  test("our own page, the address bar and programs pass", async () => {
    for (const extra of [
      "",
      `Origin: http://127.0.0.1:${api.port}\r\nSec-Fetch-Site: same-origin\r\n`,
      "Sec-Fetch-Site: none\r\n",
    ])
      expect(statusOf(await get("/api/sessions", headers(extra)))).toBe(200);
  });
  test("no origin is ever granted anything", async () => {
    const answer = await send(
      `OPTIONS /api/sessions HTTP/1.1\r\n${host()}Access-Control-Request-Method: POST\r\nConnection: close\r\n\r\n`,
    );
    expect(statusOf(answer)).toBe(204);
    expect(answer).toMatch(/Allow: GET, HEAD, POST/);
    expect(answer.toLowerCase()).not.toContain("access-control-allow");
  });
});

describe("bodies", () => {
  const json = "application/json";
  test.each([
    "text/plain",
    "application/x-www-form-urlencoded",
    "multipart/form-data",
    "application/json; charset=latin1",
    "application/jsonx",
    "",
  ])("hostile 26: JSON as %p is 415", async (type) => {
    expect(statusOf(await post("{}", type))).toBe(415);
  });
  test("hostile 15: a compressed body is 415", async () => {
    const bomb = gzipSync(Buffer.alloc(10_000_000));
    expect(statusOf(await postBytes(bomb, json, "Content-Encoding: gzip\r\n"))).toBe(415);
  });
  test.each([
    ["hostile 16: 20,000 [", "[".repeat(20_000)],
    ["deep and closed", `{"title":${"[".repeat(200_000)}${"]".repeat(200_000)}}`],
    ["33 levels", `{"a":${"[".repeat(32)}${"]".repeat(32)}}`],
    ["hostile 18: __proto__", '{"title":"a","__proto__":{"x":1}}'],
    ["hostile 18: constructor, deep", '{"title":[{"constructor":1}]}'],
    ["null", "null"],
    ["a list", "[]"],
    ["true", "true"],
    ["half a body", '{"title":'],
    ["hostile 20: 1e999", '{"title":1e999}'],
    ["hostile 21: a lone surrogate", '{"title":"\\ud800"}'],
  ])("%s is 400", async (_name, body) => {
    const answer = await post(body);
    expect(statusOf(answer)).toBe(400);
    expect(answer).toContain('"invalid_request"');
  });
  test("hostile 17: bytes that are not UTF-8 are 400", async () => {
    for (const bytes of [
      [0xff, 0xfe],
      [0xc0, 0xae],
      [0xed, 0xa0, 0x80],
    ])
      expect(
        statusOf(
          await postBytes(Buffer.concat([Buffer.from('{"title":"'), Buffer.from(bytes), Buffer.from('"}')])),
        ),
      ).toBe(400);
  });
  test("hostile 19: of two equal keys the last counts", async () => {
    expect(await post('{"title":"a","title":"b"}')).toContain('"title":"b"');
  });
  test("hostile 35, 39: more than 1 MB is 413, 1 MB of combining marks is answered", async () => {
    expect(statusOf(await post(JSON.stringify({ password: "x".repeat(1_100_000) })))).toBe(413);
    const { session } = (await (await postJson(`${api.url}/api/sessions`, {})).json()) as {
      session: { id: string };
    };
    const marks = await postJson(`${api.url}/api/sessions/${session.id}/runs`, {
      input: "\u0301".repeat(500_000),
    });
    expect(marks.status).toBe(202);
  });
  test("the input is never repeated, and the log holds no body", async () => {
    const answer = await post('{"title": "swordfish-canary');
    expect(answer).not.toContain("swordfish-canary");
    await post('{"swordfish-canary": 1}');
    expect(api.logged.join("")).not.toContain("swordfish-canary");
  });
});

describe("answers", () => {
  test("carry the security headers and a request id of ours", async () => {
    const seen = new Set<string>();
    for (const path of ["/", "/healthz", "/api/sessions", "/api/nothing"]) {
      const { headers } = await fetch(`${api.url}${path}`, { headers: { "x-request-id": "mine" } });
      expect(headers.get("content-security-policy")).toBe(
        "default-src 'none';script-src 'self';style-src 'self';connect-src 'self';font-src 'self';img-src 'self' data: blob:;base-uri 'none';form-action 'self';frame-ancestors 'none';require-trusted-types-for 'script'",
      );
      expect(headers.get("x-content-type-options")).toBe("nosniff");
      expect(headers.get("referrer-policy")).toBe("no-referrer");
      expect(headers.get("cross-origin-opener-policy")).toBe("same-origin");
      expect(headers.get("cross-origin-resource-policy")).toBe("same-origin");
      expect(headers.get("x-powered-by")).toBeNull();
      seen.add(headers.get("x-request-id") ?? "mine");
    }
    expect(seen.size).toBe(4);
    expect(seen.has("mine")).toBe(false);
  });
  test("of the API are not stored", async () => {
    for (const path of ["/api/sessions", "/api/nothing", "/metrics"])
      expect((await fetch(api.url + path)).headers.get("cache-control")).toBe("no-store");
  });
  test("a wrong method is 405 with Allow, an unknown address 404", async () => {
    const wrong = await fetch(`${api.url}/api/runs`, { method: "DELETE" });
    expect(wrong.status).toBe(405);
    expect(wrong.headers.get("allow")).toBe("GET, HEAD");
    const unknown = await fetch(`${api.url}/api/nothing`);
    expect(unknown.status).toBe(404);
    expect(await unknown.json()).toEqual({
      error: { code: "not_found", message: "There is nothing at this address." },
    });
    expect((await fetch(`${api.url}/API/sessions`)).status).toBe(404);
  });
});
