import {
  type JSONRPCMessage,
  StreamableHTTPClientTransport,
  type Transport,
} from "@modelcontextprotocol/client";
import { within } from "../../common/base/bounded-wait.ts";
import { boundedFetch } from "./bounded-fetch.ts";

/** A server that takes longer to take note of something is not waited for. */
const NOTE_MS = 10_000;
const GOODBYE_MS = 1_000;

/**
 * Streamable HTTP to one address and no other: redirects are not followed, so keys in headers reach the configured origin only
 * (security-contract 11). To the SDK's transport it adds an end for each request: a call that was given up, and one whose
 * answer breaks off, does not hold its connection or its caller.
 */
export const createHttpTransport = (url: URL, headers: Readonly<Record<string, string>>): Transport => {
  const inner = new StreamableHTTPClientTransport(url, {
    fetch: boundedFetch,
    requestInit: { headers, redirect: "manual" },
  });
  const open = new Map<string | number, AbortController>();
  /** What the SDK sends of itself and as an answer to the server. */
  const note = (message: JSONRPCMessage): Promise<void> =>
    inner.send(message, { requestSignal: AbortSignal.timeout(NOTE_MS) });

  const request = async (message: JSONRPCMessage & { readonly id: string | number }): Promise<void> => {
    const { id } = message;
    const controller = new AbortController();
    open.set(id, controller);
    const onRequestStreamEnd = (): void => {
      if (open.delete(id))
        outer.onmessage?.({ jsonrpc: "2.0", id, error: { code: -32000, message: "the answer broke off" } });
    };
    try {
      await inner.send(message, { requestSignal: controller.signal, onRequestStreamEnd });
    } catch (error) {
      open.delete(id);
      throw error;
    }
  };

  const outer: Transport = {
    start: () => inner.start(),
    send: async (message) => {
      if ("method" in message && "id" in message) return request(message);
      if ("method" in message && message.method === "notifications/cancelled") {
        const given: unknown = message.params?.requestId;
        if (typeof given === "string" || typeof given === "number") {
          open.get(given)?.abort();
          open.delete(given);
        }
      }
      return note(message);
    },
    close: async () => {
      // A server that does not know sessions, or is gone, needs no goodbye.
      await within(
        inner.terminateSession().catch(() => undefined),
        GOODBYE_MS,
        undefined,
      );
      for (const controller of open.values()) controller.abort();
      open.clear();
      await inner.close().catch(() => undefined);
    },
    get sessionId() {
      return inner.sessionId;
    },
    setProtocolVersion: (version) => inner.setProtocolVersion(version),
  };
  inner.onmessage = (message) => {
    if (!("method" in message) && message.id !== undefined) open.delete(message.id);
    outer.onmessage?.(message);
  };
  inner.onerror = (error) => outer.onerror?.(error);
  inner.onclose = () => outer.onclose?.();
  return outer;
};
