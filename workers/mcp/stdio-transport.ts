import {
  type JSONRPCMessage,
  ReadBuffer,
  serializeMessage,
  type Transport,
} from "@modelcontextprotocol/client";
import { spawnGuarded } from "../tools/terminal/guarded-spawn.ts";

/** A server that says more than this without a line break says nothing that we could use. */
const MAX_MESSAGE_BYTES = 8 * 1024 * 1024;
/** A server ends by itself when its input ends; then it is asked, then made to. */
const INPUT_GRACE_MS = 300;
const STOP_GRACE_MS = 1500;
const OUTPUT_GRACE_MS = 500;

export interface ProcessTransport extends Transport {
  /** How the process ended; null while it runs. */
  readonly ended: { readonly exitCode: number | null } | null;
  /** Ends everything the server started, now. */
  kill(): void;
}

/**
 * Speaks to a server process over its standard input and output: one JSON message a line. The SDK's own transport adds
 * variables of our process to the server's and ends only the one process; this one does neither: the environment is what is
 * given (P-20), and the server is a process group that ends as a whole, also with a worker that is killed.
 */
export const createStdioTransport = (options: {
  readonly argv: readonly string[];
  readonly cwd: string;
  readonly env: Readonly<Record<string, string>>;
}): ProcessTransport => {
  const buffer = new ReadBuffer({ maxBufferSize: MAX_MESSAGE_BYTES });
  let group: ReturnType<typeof spawnGuarded> | null = null;
  let ended: ProcessTransport["ended"] = null;
  let closed = false;
  /** Resolves when the process is gone, or could not be started. */
  const { promise: over, resolve: gone } = Promise.withResolvers<void>();

  const finish = (): void => {
    if (closed) return;
    closed = true;
    buffer.clear();
    transport.onclose?.();
  };
  const read = (chunk: Buffer): void => {
    try {
      buffer.append(chunk);
    } catch {
      group?.kill();
      return;
    }
    for (;;) {
      try {
        const message = buffer.readMessage();
        if (message === null) return;
        transport.onmessage?.(message);
      } catch (error) {
        // A line that is JSON and no message; the next one may be one.
        transport.onerror?.(error instanceof Error ? error : new Error("no message"));
      }
    }
  };

  const transport: ProcessTransport = {
    get ended() {
      return ended;
    },
    start: () =>
      new Promise((resolve, reject) => {
        group = spawnGuarded({ ...options, input: "pipe", outputs: "apart" });
        const { child } = group;
        child.once("spawn", resolve);
        child.once("error", (error) => {
          gone();
          finish();
          reject(error);
        });
        child.once("exit", (exitCode) => {
          ended = { exitCode };
          // What the server left behind ends with it.
          group?.kill();
          gone();
          // What it said last is still read, unless somebody outside of the group holds its output open.
          const timer = setTimeout(() => {
            for (const stream of child.stdio) stream?.destroy();
          }, OUTPUT_GRACE_MS);
          child.once("close", () => {
            clearTimeout(timer);
            finish();
          });
        });
        child.stdout?.on("data", read);
        // Nobody would hear what a server says after that.
        child.stdout?.once("end", () => group?.kill());
        // Not kept: it may hold keys, and it is the server's own log.
        child.stderr?.resume();
        // The process ended while we wrote; `exit` tells it.
        child.stdin?.on("error", () => undefined);
      }),
    send: (message: JSONRPCMessage) =>
      new Promise((resolve, reject) => {
        const input = group?.child.stdin;
        if (closed || input === null || input === undefined || !input.writable) {
          reject(new Error("the server process has ended"));
          return;
        }
        // Called with an error, too, when the pipe is gone; a request learns of the end from `onclose`.
        input.write(serializeMessage(message), () => resolve());
      }),
    close: async () => {
      if (group === null || ended !== null) {
        finish();
        return;
      }
      const { child, signal, kill } = group;
      child.stdin?.end();
      const timers = [
        setTimeout(signal, INPUT_GRACE_MS, "SIGTERM"),
        setTimeout(kill, INPUT_GRACE_MS + STOP_GRACE_MS),
      ];
      await over;
      for (const timer of timers) clearTimeout(timer);
      finish();
    },
    kill: () => group?.kill(),
  };
  return transport;
};
