import { createServer, type IncomingHttpHeaders, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";

export interface Received {
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
  readonly response: ServerResponse;
}

/** A receiver of webhooks or a push service: keeps what it gets and does with it what the test says. */
export interface HookReceiver {
  readonly url: string;
  /** As `TALARIA_WEBHOOK_PRIVATE` names it. */
  readonly target: string;
  readonly received: readonly Received[];
  /** What is done with each request; answers 204 without. */
  answer: (received: Received, n: number) => void;
  /** Resolves with the first request, past or future, that fits. */
  until(fits: (received: Received) => boolean): Promise<Received>;
  close(): Promise<void>;
}

export const ok = ({ response }: Received): void => void response.writeHead(204).end();

export const startReceiver = async (): Promise<HookReceiver> => {
  const received: Received[] = [];
  const waiting = new Set<{ fits: (one: Received) => boolean; resolve: (one: Received) => void }>();
  const server = createServer(async (request, response) => {
    const pieces: Buffer[] = [];
    try {
      for await (const piece of request) pieces.push(piece as Buffer);
    } catch {
      return; // the sender died
    }
    const { url: path = "", headers } = request;
    const one = { path, headers, body: Buffer.concat(pieces), response };
    received.push(one);
    receiver.answer(one, received.length);
    for (const waiter of [...waiting]) {
      if (!waiter.fits(one)) continue;
      waiting.delete(waiter);
      waiter.resolve(one);
    }
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  const receiver: HookReceiver = {
    url: `http://127.0.0.1:${port}`,
    target: `127.0.0.1:${port}`,
    received,
    answer: ok,
    until: (fits) => {
      const seen = received.find(fits);
      return seen !== undefined
        ? Promise.resolve(seen)
        : new Promise((resolve) => waiting.add({ fits, resolve }));
    },
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
  return receiver;
};
