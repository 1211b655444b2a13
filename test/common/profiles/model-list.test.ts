// biome-ignore-all lint/suspicious/noTemplateCurlyInString: placeholders of configuration files, not of this one
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "@jest/globals";
import { createModelLists } from "../../../common/profiles/model-list.ts";
import { newHome, writeFiles } from "./homes.ts";

let server: Server;
let url: string;
let asked: string[] = [];
let answer: (request: IncomingMessage, response: ServerResponse) => void;
const json = (body: unknown) => (_request: IncomingMessage, response: ServerResponse) =>
  void response.end(JSON.stringify(body));

beforeEach(async () => {
  asked = [];
  answer = (request, response) =>
    json({ data: [{ id: `b-${request.headers.authorization}` }, { id: "a" }, { id: 7 }, {}] })(
      request,
      response,
    );
  server = createServer((request, response) => {
    asked.push(`${request.url} ${request.headers.authorization ?? request.headers["x-api-key"]}`);
    answer(request, response);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
afterEach(() => {
  server.closeAllConnections();
  server.close();
});

const custom = (key: string) => ({
  "config.yaml": `model: {provider: custom, default: m, base_url: "${url}/v1/"}`,
  ".env": `OPENAI_API_KEY=${key}\n`,
});

describe("P-7 model-list-per-profile", () => {
  test("each profile sees its own list on the first answer; a changed key asks again at once", async () => {
    const home = newHome({}, { a: custom("key-a"), b: custom("key-b"), c: {} });
    let now = 1000;
    const lists = createModelLists({ home, now: () => now });
    const ids = async (name: string) => (await lists.get(name)).data.map(({ id }) => id);
    expect(await ids("a")).toEqual(["a", "b-Bearer key-a"]);
    expect(await ids("b")).toEqual(["a", "b-Bearer key-b"]);
    expect(await ids("c")).toEqual(["demo"]);
    expect(await ids("a")).toEqual(["a", "b-Bearer key-a"]);
    expect(asked).toEqual(["/v1/models Bearer key-a", "/v1/models Bearer key-b"]);
    writeFiles(join(home, "profiles", "a"), custom("key-2"));
    expect(await ids("a")).toEqual(["a", "b-Bearer key-2"]);
    now += 61;
    await Promise.all([ids("b"), ids("b"), ids("b")]);
    expect(asked).toHaveLength(4);
    expect(await lists.get("b")).toMatchObject({
      profile: "b",
      provider: "custom",
      default: "m",
      fetched_at: 1061,
    });
  });

  test("P-15, P-23: neither a key nor an address comes from the server's environment", async () => {
    process.env.OPENAI_API_KEY = "of-the-server";
    process.env.TALARIA_ELSEWHERE = "http://127.0.0.1:1";
    try {
      const home = newHome(
        {},
        {
          a: { "config.yaml": `model: {provider: custom, base_url: "${url}"}` },
          b: { "config.yaml": "model: {provider: custom, base_url: '${TALARIA_ELSEWHERE}'}" },
          c: { "config.yaml": "model: {provider: openai}" },
        },
      );
      const lists = createModelLists({ home });
      await lists.get("a");
      expect(asked).toEqual(["/models undefined"]);
      await expect(lists.get("b")).rejects.toMatchObject({ code: "provider_unavailable" });
      await expect(lists.get("c")).rejects.toMatchObject({
        ...{ code: "provider_unavailable", message: "the profile has no key for openai" },
      });
    } finally {
      delete process.env.OPENAI_API_KEY;
      delete process.env.TALARIA_ELSEWHERE;
    }
  });

  test("anthropic is asked in its own way", async () => {
    const config = `model: {provider: anthropic, base_url: "${url}/v1"}`;
    const home = newHome({ "config.yaml": config, ".env": "ANTHROPIC_API_KEY=ak\n" });
    await createModelLists({ home }).get("default");
    expect(asked).toEqual(["/v1/models ak"]);
  });
});

describe("the provider may do what it likes", () => {
  const ask = (timeoutMs = 300) => {
    const home = newHome(custom("canary-key-0123456789"));
    return createModelLists({ home, timeoutMs }).get("default");
  };
  test.each<[string, (request: IncomingMessage, response: ServerResponse) => void]>([
    ["a redirect", (_r, response) => void response.writeHead(302, { location: `${url}/stolen` }).end()],
    [
      "an error that repeats the key",
      (r, response) => void response.writeHead(401).end(r.headers.authorization),
    ],
    ["no JSON", (_r, response) => void response.end("<html>")],
    ["no list", json({ object: "model" })],
    ["too much", (_r, response) => void response.end(`[${`"${"x".repeat(99)}",`.repeat(30_000)}""]`)],
    ["silence", () => undefined],
    ["a drip", (_r, response) => void response.write("[")],
    ["a closed door", (_r, response) => void response.destroy()],
  ])("%s is `provider_unavailable`, in time, and asked again the next time", async (_what, how) => {
    answer = how;
    const error = await ask().then(
      () => null,
      (thrown: unknown) => thrown as Error & { code: string },
    );
    expect(error?.code).toBe("provider_unavailable");
    expect(error?.message).not.toContain("canary");
    expect(asked.filter((line) => line.includes("stolen"))).toEqual([]);
    answer = json([{ name: "ok" }]);
    expect((await ask()).data).toEqual([{ id: "ok" }]);
  });

  test("ids are texts of one line, at most 2000 of them", async () => {
    answer = json({
      data: [
        { id: "x".repeat(201) },
        { id: "a\nb" },
        ...Array.from({ length: 3000 }, (_, i) => ({ id: `m${i}` })),
      ],
    });
    expect((await ask(5000)).data).toHaveLength(2000);
  });

  test.each([
    "ftp://h/v1",
    "http://u:p@h/v1",
    "http://169.254.169.254/v1",
    "http://[fe80::1]/v1",
    "http://0.0.0.0/v1",
    "nonsense",
  ])("%s is not asked", async (address) => {
    const home = newHome({ "config.yaml": `model: {provider: custom, base_url: "${address}"}` });
    const lists = createModelLists({ home, fetch: () => Promise.reject(new Error("was asked")) });
    await expect(lists.get("default")).rejects.toMatchObject({
      ...{ code: "provider_unavailable", message: expect.stringContaining("address") },
    });
  });

  test.each(["nobody", "constructor", "__proto__"])(
    "%s, a provider without an address, is not asked",
    async (provider) => {
      const home = newHome({ "config.yaml": `model: {provider: ${provider}}` });
      const lists = createModelLists({ home, fetch: () => Promise.reject(new Error("was asked")) });
      await expect(lists.get("default")).rejects.toMatchObject({ code: "provider_unavailable" });
    },
  );
});
