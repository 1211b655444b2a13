import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { afterEach, describe, expect, test } from "@jest/globals";
import type { ProfileTools } from "../../../workers/mcp/profile-tools.ts";
import { eventually } from "../../helpers/wait.ts";
import { createToolServer, type Message } from "./fixtures/tools.ts";
import { call, section, withMcp } from "./harness.ts";

/** What the endpoint does with requests; the rest is answered as JSON. */
type Behaviour = (request: IncomingMessage, response: ServerResponse, message: Message) => boolean;

const open: Server[] = [];
afterEach(() => {
  for (const server of open.splice(0)) {
    server.closeAllConnections();
    server.close();
  }
});

interface Endpoint {
  readonly url: string;
  /** Method, path and key of every request. */
  readonly seen: string[];
  readonly messages: Message[];
}

const startEndpoint = async (behaviour: Behaviour = () => false): Promise<Endpoint> => {
  const seen: string[] = [];
  const messages: Message[] = [];
  let reply: (message: unknown) => void = () => undefined;
  const handle = createToolServer("http", (message) => reply(message));
  const server = createServer(async (request, response) => {
    seen.push(`${request.method} ${request.url} ${request.headers["x-api-key"] ?? "-"}`);
    let body = "";
    for await (const chunk of request) body += String(chunk);
    const message = (body === "" ? {} : JSON.parse(body)) as Message;
    messages.push(message);
    if (behaviour(request, response, message)) return;
    if (request.method !== "POST") response.writeHead(405).end();
    else if (message.id === undefined) response.writeHead(202).end();
    else {
      reply = (answer) => {
        response.writeHead(200, { "content-type": "application/json", "mcp-session-id": "one" });
        response.end(JSON.stringify(answer));
      };
      await handle(message);
    }
  });
  open.push(server);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, seen, messages };
};

const calls = (name: string): ((message: Message) => boolean) => {
  return ({ method, params }) => method === "tools/call" && params?.name === name;
};
const withEndpoint = (
  entry: (url: string) => Readonly<Record<string, unknown>>,
  behaviour: Behaviour,
  work: (run: ProfileTools, endpoint: Endpoint) => Promise<void>,
) =>
  withMcp(async (house) => {
    const endpoint = await startEndpoint(behaviour);
    await house.write("default", {
      "config.yaml": section({ s: entry(endpoint.url) }),
      ".env": "KEY=key-of-the-profile\n",
    });
    const run = await house.open();
    await work(run, endpoint);
    expect(house.logged()).not.toContain("canary");
    run.release();
  });
const keyed = (url: string) => ({ url: `${url}/mcp`, headers: { "X-Api-Key": `\${KEY}` }, timeout: 2 });

describe("a server over HTTP", () => {
  test("answers as JSON; the key is in every request, the session is ended", () =>
    withMcp(async (house) => {
      const endpoint = await startEndpoint();
      await house.write("default", {
        "config.yaml": section({ s: keyed(endpoint.url) }),
        ".env": "KEY=key-of-the-profile\n",
      });
      const run = await house.open();
      expect(run.warnings).toEqual([]);
      expect((await call(run, "mcp_s_echo", { text: "over http" })).content).toBe("over http");
      run.release();
      await house.pool.close();
      expect(endpoint.seen.filter((line) => !line.endsWith(" /mcp key-of-the-profile"))).toEqual([]);
      expect(endpoint.seen.at(-1)).toBe("DELETE /mcp key-of-the-profile");
    }));

  test("answers as an event stream; one that breaks off is no endless wait", () =>
    withEndpoint(
      (url) => ({ url, timeout: 30 }),
      (_request, response, message) => {
        if (!calls("echo")(message)) return false;
        response.writeHead(200, { "content-type": "text/event-stream" });
        const result = { content: [{ type: "text", text: "streamed" }] };
        if (JSON.stringify(message.params).includes("whole"))
          response.write(
            `event: message\ndata: ${JSON.stringify({ jsonrpc: "2.0", id: message.id, result })}\n\n`,
          );
        else response.write(": thinking\n\n");
        response.end();
        return true;
      },
      async (run) => {
        expect((await call(run, "mcp_s_echo", { text: "whole" })).content).toBe("streamed");
        const broken = await call(run, "mcp_s_echo", { text: "broken" });
        expect(broken).toEqual({ content: "The tool failed: the answer broke off", isError: true });
      },
    ));

  test("a redirect is not followed, so the key stays where it was meant to go (88)", async () => {
    const elsewhere = await startEndpoint();
    for (const status of [301, 302, 307, 308])
      await withEndpoint(
        keyed,
        (_request, response) => {
          response.writeHead(status, { location: `${elsewhere.url}/canary` }).end();
          return true;
        },
        async (run, endpoint) => {
          expect(run.warnings).toEqual([
            `The MCP server "s" is not available to this run: it answered with HTTP status ${status} (redirects are not followed).`,
          ]);
          expect(endpoint.seen).toHaveLength(1);
        },
      );
    expect(elsewhere.seen).toEqual([]);
  });

  test("a redirect to another place of the same server is not followed either", () =>
    withEndpoint(
      keyed,
      (request, response) => {
        if (request.url !== "/mcp") return false;
        response.writeHead(308, { location: "/moved" }).end();
        return true;
      },
      async (run, endpoint) => {
        expect(run.warnings).toEqual([expect.stringContaining("redirects are not followed")]);
        expect(endpoint.seen).toEqual(["POST /mcp key-of-the-profile"]);
      },
    ));

  test("a redirect of one call is not followed either", async () => {
    const elsewhere = await startEndpoint();
    await withEndpoint(
      keyed,
      (_request, response, message) => {
        if (!calls("echo")(message)) return false;
        response.writeHead(307, { location: elsewhere.url }).end();
        return true;
      },
      async (run) => {
        expect((await call(run, "mcp_s_echo")).content).toContain(
          "HTTP status 307 (redirects are not followed)",
        );
      },
    );
    expect(elsewhere.seen).toEqual([]);
  });

  test("one call that fails takes no other with it, and the next run reaches the server anew", () =>
    withMcp(async (house) => {
      const endpoint = await startEndpoint((_request, response, message) => {
        if (!calls("echo")(message)) return false;
        response.writeHead(503).end();
        return true;
      });
      await house.write("default", { "config.yaml": section({ s: { url: endpoint.url } }) });
      const handshakes = () => endpoint.messages.filter(({ method }) => method === "initialize").length;
      const run = await house.open();
      expect((await call(run, "mcp_s_echo")).content).toContain("HTTP status 503");
      expect((await call(run, "mcp_s_structured")).isError).toBe(false);
      run.release();
      expect(handshakes()).toBe(1);
      (await house.open()).release();
      expect(handshakes()).toBe(2);
    }));

  test("what it says when it refuses is not repeated", () =>
    withEndpoint(
      keyed,
      (_request, response) => {
        response.writeHead(401, { "content-type": "text/plain" }).end("canary: your key is wrong");
        return true;
      },
      async (run) => {
        expect(run.warnings).toEqual([
          'The MCP server "s" is not available to this run: it answered with HTTP status 401.',
        ]);
      },
    ));

  test.each([
    ["ftp://127.0.0.1/canary", "its url is no http or https address"],
    ["file:///etc/canary", "its url is no http or https address"],
    ["http://user:canary@127.0.0.1/", "its url has a user or a password in it; name the key in headers"],
    ["canary", "its url is no http or https address"],
  ])("%s is not spoken to", (url, reason) =>
    withEndpoint(
      () => ({ url }),
      () => false,
      async (run) => {
        expect(run.warnings).toEqual([`The MCP server "s" is not available to this run: ${reason}.`]);
      },
    ),
  );

  test("one that nobody answers for is said so", () =>
    withMcp(async (house) => {
      const endpoint = await startEndpoint();
      const server = open.at(-1);
      await new Promise((resolve) => server?.close(resolve));
      await house.write("default", { "config.yaml": section({ s: { url: endpoint.url } }) });
      expect((await house.open()).warnings).toEqual([
        'The MCP server "s" is not available to this run: it cannot be started or reached (ECONNREFUSED).',
      ]);
    }));

  test("a header that no header can be is refused without its value", () =>
    withEndpoint(
      (url) => ({ url, headers: { "X-Api-Key": "canary\nX-Other: canary" } }),
      () => false,
      async (run, endpoint) => {
        expect(run.warnings).toEqual([
          expect.stringContaining("its header X-Api-Key has a value that no header can"),
        ]);
        expect(endpoint.seen).toEqual([]);
      },
    ));

  test.each(["application/json", "text/event-stream"])("an endless answer as %s ends with an error", (type) =>
    withEndpoint(
      (url) => ({ url, timeout: 20 }),
      (_request, response, message) => {
        if (!calls("big")(message)) return false;
        response.writeHead(200, { "content-type": type });
        const write = (): void => {
          while (!response.destroyed && response.write("x".repeat(65_536)));
          if (!response.destroyed) response.once("drain", write);
        };
        response.write("data: ");
        write();
        return true;
      },
      async (run) => {
        expect((await call(run, "mcp_s_big")).isError).toBe(true);
      },
    ),
  );

  test("a call that has used up its time tells the server and lets go of the connection", () => {
    let left = false;
    return withEndpoint(
      (url) => ({ url, timeout: 0.3 }),
      (_request, response, message) => {
        if (!calls("wait")(message)) return false;
        response.writeHead(200, { "content-type": "text/event-stream" }).write(": wait\n\n");
        response.once("close", () => {
          left = true;
        });
        return true;
      },
      async (run, endpoint) => {
        expect((await call(run, "mcp_s_wait")).content).toContain("it did not answer within 0.3 s");
        await eventually("the connection is let go", () => left);
        await eventually("the server was told", () =>
          endpoint.messages.some(({ method }) => method === "notifications/cancelled"),
        );
      },
    );
  });
});
