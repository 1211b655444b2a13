import { beforeAll, describe, expect, test } from "@jest/globals";
import {
  follow,
  postJson,
  rawRequest,
  startRun,
  statusOf,
  type TestApi,
  type TestApiOptions,
  withApi as withOwnApi,
} from "../helpers/api-server.ts";
import { type House, openHouse } from "../helpers/house.ts";

const DAY_MS = 86_400_000;
let house: House;
beforeAll(async () => {
  house = await openHouse();
});
/** Every app is another one on the same house: what it forgets of logins, it forgets with its process. */
const withApi = (options: TestApiOptions, work: (api: TestApi) => Promise<void>): Promise<void> =>
  withOwnApi({ ...options, house }, work);

const TOKEN = "t0ken-of-the-test";
const bearer = { authorization: `Bearer ${TOKEN}` };

const login = async (
  api: TestApi,
  password = "right",
): Promise<{ status: number; cookie: string; set: string }> => {
  const answer = await postJson(`${api.url}/api/login`, { password });
  const set = answer.headers.get("set-cookie") ?? "";
  return { status: answer.status, set, cookie: set.split(";")[0] ?? "" };
};
const read = async (api: TestApi, headers: Record<string, string> = {}): Promise<number> =>
  (await fetch(`${api.url}/api/sessions`, { headers })).status;

describe("a login", () => {
  test("every address of the document but login and health asks for one; so does what is unknown", () =>
    withApi({ password: "right", token: TOKEN }, async (api) => {
      const document = (await (await fetch(`${api.url}/api/openapi.json`, { headers: bearer })).json()) as {
        paths: Record<string, Record<string, unknown>>;
      };
      const open: string[] = [];
      const calls = Object.entries(document.paths).flatMap(([path, methods]) =>
        Object.keys(methods).map((method) => ({
          path: path.replaceAll(/\{\w+\}/g, "x"),
          method: method.toUpperCase(),
        })),
      );
      calls.push(
        { path: "/api/nothing", method: "GET" },
        { path: "/api", method: "POST" },
        { path: "/ops/queues", method: "GET" },
      );
      expect(calls.length).toBeGreaterThan(24);
      for (const { path, method } of calls) {
        const answer = await fetch(api.url + path, { method });
        if (answer.status !== 401) open.push(`${method} ${path}`);
        else expect(answer.headers.get("www-authenticate")).toBe("Bearer");
      }
      expect(open.sort()).toEqual(["GET /healthz", "GET /readyz", "POST /api/login"]);
    }));

  test("gives a cookie that only this server, this port and no script can read", () =>
    withApi({ password: "right" }, async (api) => {
      const { status, set, cookie } = await login(api);
      expect(status).toBe(200);
      expect(set).toMatch(new RegExp(`^talaria_${api.port}=[A-Za-z0-9_-]{43}; `));
      expect(set).toMatch(/HttpOnly/);
      expect(set).toMatch(/SameSite=Strict/);
      expect(set).toMatch(/Path=\//);
      expect(await read(api)).toBe(401);
      expect(await read(api, { cookie })).toBe(200);
      expect(await read(api, { cookie: `other=1; ${cookie}` })).toBe(200);
      // hostile 28: another instance's cookie, and hostile 31: a secret in the address
      expect(await read(api, { cookie: cookie.replace(String(api.port), "1") })).toBe(401);
      expect((await fetch(`${api.url}/api/sessions?token=right&cookie=${cookie}`)).status).toBe(401);
      expect((await login(api)).cookie).not.toBe(cookie);
    }));

  test("a wrong password is 401 and sets nothing", () =>
    withApi({ password: "right" }, async (api) => {
      const { status, set } = await login(api, "wrong");
      expect(status).toBe(401);
      expect(set).toBe("");
    }));

  test("attempts are limited for each peer, and no header changes who the peer is (hostile 24)", () =>
    withApi({ password: "right" }, async (api) => {
      const statuses: number[] = [];
      for (let i = 0; i < 6; i++)
        statuses.push(
          (await postJson(`${api.url}/api/login`, { password: "no" }, { "x-forwarded-for": `10.0.0.${i}` }))
            .status,
        );
      expect(statuses).toEqual([401, 401, 401, 401, 401, 429]);
      const answer = await postJson(`${api.url}/api/login`, { password: "right" });
      expect(answer.status).toBe(429);
      expect(Number(answer.headers.get("retry-after"))).toBeGreaterThan(0);
    }));

  test("behind a listed proxy the peer is the client it names, and TLS makes the cookie a __Host- one", () =>
    withApi({ password: "right", http: { trustedProxies: ["127.0.0.1"] } }, async (api) => {
      for (let i = 0; i < 7; i++) {
        const headers = { "x-forwarded-for": `10.0.0.${i}`, "x-forwarded-proto": "https" };
        const answer = await postJson(`${api.url}/api/login`, { password: "right" }, headers);
        expect(answer.status).toBe(200);
        expect(answer.headers.get("set-cookie")).toMatch(/^__Host-talaria_.*Secure/);
      }
    }));

  test("logging out ends it; hostile 59: its open stream ends, too", () =>
    withApi({ password: "right", token: TOKEN }, async (api) => {
      const { cookie } = await login(api);
      const mine = await follow(`${api.url}/api/events`, { cookie });
      const other = await follow(`${api.url}/api/events`, bearer);
      const out = await fetch(`${api.url}/api/logout`, { method: "POST", headers: { cookie } });
      expect(out.status).toBe(204);
      await mine.ended();
      expect(await read(api, { cookie })).toBe(401);
      await api.hint({});
      await other.until(1);
      other.drop();
    }));

  test("ends after 7 days without use, after 30 in any case, and with its password (hostile 27)", async () => {
    let now = 1_000 * DAY_MS;
    const at = (password: string) => ({ password, nowMs: () => now });
    let cookie = "";
    await withApi(at("right"), async (api) => {
      cookie = (await login(api)).cookie.split("=")[1] ?? "";
      const mine = (): Record<string, string> => ({ cookie: `talaria_${api.port}=${cookie}` });
      expect(await read(api, mine())).toBe(200);
      for (const days of [6, 6, 6, 6]) {
        now += days * DAY_MS;
        expect(await read(api, mine())).toBe(200);
      }
      now += 6.1 * DAY_MS;
      expect(await read(api, mine())).toBe(401);
      cookie = (await login(api)).cookie.split("=")[1] ?? "";
      now += 7.1 * DAY_MS;
      expect(await read(api, mine())).toBe(401);
      cookie = (await login(api)).cookie.split("=")[1] ?? "";
      expect(await read(api, mine())).toBe(200);
    });
    await withApi(at("right"), async (api) => {
      expect(await read(api, { cookie: `talaria_${api.port}=${cookie}` })).toBe(200);
    });
    await withApi(at("changed"), async (api) => {
      expect(await read(api, { cookie: `talaria_${api.port}=${cookie}` })).toBe(401);
    });
  });
});

describe("the token", () => {
  test("opens everything, in the header only", () =>
    withApi({ token: TOKEN }, async (api) => {
      expect(await read(api, bearer)).toBe(200);
      expect(await read(api, { authorization: "Bearer wrong" })).toBe(401);
      expect(await read(api, { authorization: `Basic ${TOKEN}` })).toBe(401);
      expect((await fetch(`${api.url}/api/sessions?token=${TOKEN}`)).status).toBe(401);
      expect((await login(api, TOKEN)).status).toBe(401);
    }));

  test("requests are limited for each principal; streams are not counted", () =>
    withApi({ token: TOKEN, limits: { requestsPerMinute: 3 } }, async (api) => {
      for (let i = 0; i < 5; i++) (await follow(`${api.url}/api/events`, bearer)).drop();
      for (let i = 0; i < 3; i++) expect(await read(api, bearer)).toBe(200);
      expect(await read(api, bearer)).toBe(429);
      expect(await read(api)).toBe(401);
    }));

  test("hostile 57: one stream too many is 429, and the others go on", () =>
    withApi({ token: TOKEN, limits: { streamsPerPrincipal: 2 } }, async (api) => {
      const open = [
        await follow(`${api.url}/api/events`, bearer),
        await follow(`${api.url}/api/events`, bearer),
      ];
      const third = await fetch(`${api.url}/api/events`, { headers: bearer });
      expect(third.status).toBe(429);
      expect(third.headers.has("retry-after")).toBe(true);
      await api.hint({});
      for (const stream of open) {
        await stream.until(1);
        stream.drop();
      }
    }));

  test("R-36 expired-login-on-resume: without a login not even the existence of a run is told", () =>
    withApi({ token: TOKEN }, async (api) => {
      const paths = ["/api/runs/x/events", "/api/sessions/x/events", "/api/runs/x"];
      for (const path of paths) expect((await fetch(api.url + path)).status).toBe(401);
      const raw = await rawRequest(
        api.port,
        `GET /api/runs/x HTTP/1.1\r\nHost: 127.0.0.1:${api.port}\r\nConnection: close\r\n\r\n`,
      );
      expect(statusOf(raw)).toBe(401);
    }));
});

test("without password and token a loopback server is open, login included", () =>
  withApi({}, async (api) => {
    expect(await read(api)).toBe(200);
    expect((await login(api, "anything")).status).toBe(200);
    await startRun(api);
  }));
