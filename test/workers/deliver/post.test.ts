import type { LookupAddress } from "node:dns";
import { createServer, type Socket } from "node:net";
import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import { createPost, type NoAnswer } from "../../../workers/deliver/post.ts";
import { type HookReceiver, startReceiver } from "../../helpers/hook-receiver.ts";

let receiver: HookReceiver;
beforeAll(async () => {
  receiver = await startReceiver();
});
afterAll(() => receiver.close());

const PUBLIC: LookupAddress = { address: "8.8.8.8", family: 4 };
const LOOPBACK: LookupAddress = { address: "127.0.0.1", family: 4 };
const never = new AbortController().signal;
const message = { headers: { "x-test": "1" }, body: Buffer.from("{}") };
const portOf = (): string => new URL(receiver.url).port;
const reasonOf = async (work: Promise<unknown>): Promise<NoAnswer | unknown> =>
  work.then(
    (answer) => answer,
    (error: { reason?: NoAnswer }) => error.reason ?? error,
  );

describe("where a message goes", () => {
  test("to the address that was looked at: one that is on the list", async () => {
    const post = createPost({ timeoutMs: 2000, privateTargets: [receiver.target] });
    expect(await post(`${receiver.url}/listed`, message, never)).toEqual({ status: 204, retryAfter: null });
    expect(receiver.received.at(-1)).toMatchObject({ path: "/listed", body: message.body });
    expect(receiver.received.at(-1)?.headers["x-test"]).toBe("1");
  });

  test.each([
    ["a name that is another one when it is connected to (DNS rebinding)", [LOOPBACK]],
    ["a name with a public and a private address", [PUBLIC, LOOPBACK]],
    ["a name with a mapped address", [{ address: "::ffff:127.0.0.1", family: 6 }]],
    ["a name that is where clouds keep credentials", [{ address: "169.254.169.254", family: 4 }]],
    ["a name without an address", []],
  ])("nowhere: %s", async (_name, found) => {
    const before = receiver.received.length;
    const post = createPost({ timeoutMs: 2000, privateTargets: [], resolve: async () => found });
    expect(await reasonOf(post(`http://hooks.example:${portOf()}/`, message, never))).toBe("address_refused");
    expect(receiver.received).toHaveLength(before);
  });

  test("a listed name may be private, and is asked for once: the answer is what is connected to", async () => {
    let asked = 0;
    const target = `hooks.example:${portOf()}`;
    const resolve = async () => {
      asked += 1;
      return [LOOPBACK];
    };
    const post = createPost({ timeoutMs: 2000, privateTargets: [target], resolve });
    expect(await post(`http://${target}/named`, message, never)).toMatchObject({ status: 204 });
    expect(receiver.received.at(-1)?.headers.host).toBe(target);
    expect(asked).toBe(1);
    const linkLocal = createPost({
      ...{ timeoutMs: 2000, privateTargets: [target] },
      resolve: async () => [{ address: "169.254.169.254", family: 4 }],
    });
    expect(await reasonOf(linkLocal(`http://${target}/`, message, never))).toBe("address_refused");
  });

  test("an address that is one already is not looked up, and is looked at all the same", async () => {
    const post = createPost({ timeoutMs: 2000, privateTargets: [], resolve: async () => [PUBLIC] });
    for (const url of [receiver.url, `http://[::ffff:7f00:1]:${portOf()}/`, `http://2130706433:${portOf()}/`])
      expect(await reasonOf(post(url, message, never))).toBe("address_refused");
  });
});

describe("what comes back", () => {
  const withServer = async (
    answer: (socket: Socket) => void,
    work: (url: string, target: string) => Promise<void>,
  ) => {
    const server = createServer((socket) => {
      socket.on("error", () => {});
      answer(socket);
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const address = server.address();
    const target = `127.0.0.1:${typeof address === "object" ? address?.port : 0}`;
    try {
      await work(`http://${target}/`, target);
    } finally {
      server.close();
    }
  };

  test.each<readonly [string, (socket: Socket) => void, NoAnswer]>([
    ["nothing", () => {}, "timeout"],
    ["a head, byte by byte, without end", (socket) => drip(socket, "HTTP/1.1 200 OK\r\n"), "timeout"],
    [
      "a head of a megabyte",
      (socket) => void socket.write(`HTTP/1.1 200 OK\r\nx: ${"y".repeat(1_048_576)}\r\n`),
      "connection_failed",
    ],
    ["nonsense", (socket) => void socket.end("SSH-2.0-OpenSSH\r\n"), "connection_failed"],
    ["a closed connection", (socket) => void socket.destroy(), "connection_failed"],
  ])("%s", (_name, answer, reason) =>
    withServer(answer, async (url, target) => {
      const post = createPost({ timeoutMs: 500, privateTargets: [target] });
      expect(await reasonOf(post(url, message, never))).toBe(reason);
    }),
  );

  test("a name that does not exist, and a port that nobody listens on", async () => {
    const missing = createPost({
      ...{ timeoutMs: 2000, privateTargets: [] },
      resolve: () => Promise.reject(new Error("ENOTFOUND secret.example")),
    });
    expect(await reasonOf(missing("http://secret.example/", message, never))).toBe("name_not_found");
    const closed = createPost({ timeoutMs: 2000, privateTargets: ["127.0.0.1:1"] });
    expect(await reasonOf(closed("http://127.0.0.1:1/", message, never))).toBe("connection_failed");
  });

  test("a worker that hands its work back is not told that the receiver failed", async () => {
    const leave = new AbortController();
    await withServer(
      () => leave.abort(new Error("the worker stops")),
      async (url, target) => {
        const post = createPost({ timeoutMs: 2000, privateTargets: [target] });
        await expect(post(url, message, leave.signal)).rejects.toThrow("the worker stops");
      },
    );
  });
});

const drip = (socket: Socket, start: string): void => {
  socket.write(start);
  const timer = setInterval(() => socket.write("x"), 20);
  socket.on("close", () => clearInterval(timer));
};
