import { afterEach, beforeEach, describe, expect, it, jest } from "@jest/globals";
import type { ConnectionStatus } from "../../api/web/model/connection.ts";
import type { Frame } from "../../api/web/model/frame.ts";
import { createEventConnection } from "../../api/web/net/event-connection.ts";

/** One answer of the server: a status, and for 200 a stream that the test writes and cuts. */
interface Call {
  readonly url: string;
  readonly aborted: () => boolean;
  answer(status: number): void;
  send(text: string): void;
  cut(): void;
}

const setUp = () => {
  const calls: Call[] = [];
  const statuses: ConnectionStatus[] = [];
  const frames: [string | null, Frame][] = [];
  const tab = { hidden: false, online: true, changed: (): void => undefined };
  const target = { sessionId: "s" as string | null, cursor: null as string | null };
  const request = ((url: string, init: RequestInit) =>
    new Promise<Response>((resolve, reject) => {
      let controller: ReadableStreamDefaultController<Uint8Array> | undefined;
      const body = new ReadableStream<Uint8Array>({
        start(c) {
          controller = c;
        },
      });
      const fail = (): void => {
        reject(new Error("cut"));
        try {
          controller?.error(new Error("cut"));
        } catch {
          // It had ended.
        }
      };
      init.signal?.addEventListener("abort", fail);
      calls.push({
        url,
        aborted: () => init.signal?.aborted === true,
        answer: (status) => resolve(new Response(status === 200 ? body : null, { status })),
        send: (text) => controller?.enqueue(new TextEncoder().encode(text)),
        cut: fail,
      });
    })) as unknown as typeof fetch;
  const connection = createEventConnection({
    fetch: request,
    surroundings: {
      hidden: () => tab.hidden,
      online: () => tab.online,
      onChange(listener) {
        tab.changed = listener;
        return () => undefined;
      },
    },
    random: () => 0.5,
    target: () => target,
    beforeConnect: () => undefined,
    onFrame: (sessionId, frame) => frames.push([sessionId, frame]),
    onStatus: (status) => statuses.push(status),
  });
  const call = (n: number): Call => {
    const found = calls[n];
    if (found === undefined) throw new Error(`there was no request ${n}`);
    return found;
  };
  return { calls, call, statuses, frames, tab, target, connection };
};

const pass = (ms = 0): Promise<void> => jest.advanceTimersByTimeAsync(ms);
const FRAME = 'id: 4-1\nevent: token\ndata: {"run_id":"r","run_seq":3,"text":"x"}\n\n';

describe("the event connection", () => {
  beforeEach(() => {
    jest.useFakeTimers();
  });
  afterEach(() => {
    jest.useRealTimers();
  });

  it("comes back at the cursor held with the state, after 1.5 s, then 3 s", async () => {
    const { call, calls, connection, frames, statuses, target } = setUp();
    connection.restart();
    await pass();
    expect(call(0).url).toBe("/api/events?session_id=s");
    call(0).answer(200);
    await pass();
    call(0).send(FRAME);
    await pass();
    expect(frames.map(([id, frame]) => [id, frame.id])).toEqual([["s", "4-1"]]);
    target.cursor = "4-1";
    call(0).cut();
    await pass();
    expect(statuses.at(-1)).toEqual({ kind: "reconnecting", attempt: 1 });
    await pass(1_499);
    expect(calls).toHaveLength(1);
    await pass(1);
    expect(call(1).url).toBe("/api/events?session_id=s&last_event_id=4-1");
    call(1).answer(503);
    await pass(2_999);
    expect(calls).toHaveLength(2);
    await pass(1);
    expect(calls).toHaveLength(3);
    connection.close();
  });

  it("expired-login-on-resume (R-36): 401 waits for a login, then resumes at the cursor", async () => {
    const { call, calls, connection, statuses, target } = setUp();
    target.cursor = "9-2";
    connection.restart();
    await pass();
    call(0).answer(401);
    await pass(600_000);
    expect(statuses.at(-1)).toEqual({ kind: "signed_out" });
    expect(calls).toHaveLength(1);
    connection.restart();
    await pass();
    expect(call(1).url).toContain("last_event_id=9-2");
    connection.close();
  });

  it("404 and 403 are final (R-35)", async () => {
    for (const status of [404, 403]) {
      const { call, calls, connection, statuses } = setUp();
      connection.restart();
      await pass();
      call(0).answer(status);
      await pass(600_000);
      expect(statuses.at(-1)).toEqual({ kind: "refused", status });
      expect(calls).toHaveLength(1);
    }
  });

  it("a line that is silent for 16 s is dead", async () => {
    const { call, calls, connection } = setUp();
    connection.restart();
    await pass();
    call(0).answer(200);
    for (let i = 0; i < 6; i++) {
      await pass(5_000);
      call(0).send(": beat\n\n");
      await pass();
    }
    expect(call(0).aborted()).toBe(false);
    await pass(16_000);
    expect(call(0).aborted()).toBe(true);
    await pass(1_500);
    expect(calls).toHaveLength(2);
    connection.close();
  });

  it("an offline tab does not knock, and returns at once when the network does", async () => {
    const { call, calls, connection, statuses, tab } = setUp();
    connection.restart();
    await pass();
    call(0).answer(200);
    await pass();
    tab.online = false;
    tab.changed();
    await pass(60_000);
    expect(statuses.at(-1)).toEqual({ kind: "offline" });
    expect(calls).toHaveLength(1);
    tab.online = true;
    tab.changed();
    await pass();
    expect(calls).toHaveLength(2);
    connection.close();
  });

  it("a hidden tab lets its connection go after a while and resumes when it is seen (R-1)", async () => {
    const { call, calls, connection, statuses, tab } = setUp();
    connection.restart();
    await pass();
    call(0).answer(200);
    await pass();
    tab.hidden = true;
    tab.changed();
    await pass(4_999);
    expect(call(0).aborted()).toBe(false);
    await pass(1);
    expect(call(0).aborted()).toBe(true);
    await pass(60_000);
    expect(statuses.at(-1)).toEqual({ kind: "paused" });
    expect(calls).toHaveLength(1);
    tab.hidden = false;
    tab.changed();
    await pass();
    expect(calls).toHaveLength(2);
    connection.close();
  });

  it("frames of the session before never reach the one that is in view now (R-49)", async () => {
    const { call, connection, frames, target } = setUp();
    connection.restart();
    await pass();
    call(0).answer(200);
    await pass();
    target.sessionId = "other";
    call(0).send(FRAME);
    await pass();
    expect(frames.map(([id]) => id)).toEqual(["s"]);
    connection.restart();
    expect(call(0).aborted()).toBe(true);
    await pass();
    expect(call(1).url).toContain("session_id=other");
    connection.close();
  });
});
