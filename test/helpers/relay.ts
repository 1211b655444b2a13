import { connect, createServer, type Server, type Socket } from "node:net";

/**
 * A TCP relay in front of a real server, for faults that only the network can make: it can hold the traffic at the moment
 * a certain text passes, lose everything, or refuse connections.
 */
export interface Relay {
  readonly port: number;
  /** Holds client -> server traffic from the chunk on that contains `text`; resolves when that happened. */
  holdBefore(text: string): Promise<void>;
  /** Holds everything, in both directions, and on new connections, too: a network that says nothing. */
  silence(): void;
  /**
   * A connection on which `text` passes towards the server says nothing any more, in both directions, and stays open: half-open.
   * `once`: that one only; otherwise every one on which it passes, until `release`.
   */
  mute(text: string, once?: "once"): void;
  /** Lets held traffic through. */
  release(): void;
  /** Resets all connections and refuses new ones until `heal`. */
  cut(): void;
  heal(): void;
  close(): Promise<void>;
}

export const startRelay = async (targetPort: number): Promise<Relay> => {
  let trigger: { readonly text: string; readonly hit: () => void } | null = null;
  let holding = false;
  let refusing = false;
  let silent = false;
  let muting: { readonly text: string; readonly once: boolean } | null = null;
  const muted = new Set<Socket>();
  const held: { readonly to: Socket; readonly chunk: Buffer }[] = [];
  const sockets = new Set<Socket>();

  const server: Server = createServer((client) => {
    if (refusing) {
      client.destroy();
      return;
    }
    const upstream = connect(targetPort, "127.0.0.1");
    for (const socket of [client, upstream]) {
      sockets.add(socket);
      socket.on("error", () => {});
      socket.on("close", () => {
        sockets.delete(socket);
        muted.delete(client);
        client.destroy();
        upstream.destroy();
      });
    }
    client.on("data", (chunk: Buffer) => {
      if (trigger !== null && chunk.includes(trigger.text)) {
        holding = true;
        trigger.hit();
        trigger = null;
      }
      if (muting !== null && chunk.includes(muting.text)) {
        muted.add(client);
        if (muting.once) muting = null;
      }
      if (holding || muted.has(client)) held.push({ to: upstream, chunk });
      else upstream.write(chunk);
    });
    upstream.on("data", (chunk: Buffer) => {
      if (silent || muted.has(client)) held.push({ to: client, chunk });
      else client.write(chunk);
    });
  });
  const port = await new Promise<number>((resolve) => {
    server.listen(0, "127.0.0.1", () => resolve((server.address() as { port: number }).port));
  });
  server.unref();

  return {
    port,
    holdBefore: (text) =>
      new Promise((resolve) => {
        trigger = { text, hit: resolve };
      }),
    silence: () => {
      holding = true;
      silent = true;
    },
    mute: (text, once) => {
      muting = { text, once: once !== undefined };
    },
    release: () => {
      holding = false;
      silent = false;
      muting = null;
      muted.clear();
      for (const { to, chunk } of held.splice(0)) if (!to.destroyed) to.write(chunk);
    },
    cut: () => {
      refusing = true;
      for (const socket of sockets) socket.destroy();
    },
    heal: () => {
      refusing = false;
    },
    close: async () => {
      for (const socket of sockets) socket.destroy();
      await new Promise<void>((resolve) => server.close(() => resolve()));
    },
  };
};
