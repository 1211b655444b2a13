import { createServer, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { Readable } from "node:stream";

export interface AskedForSummary {
  readonly system: string;
  readonly user: string;
  readonly key: string | undefined;
}

/** A request of a run, as the provider got it. */
export interface AskedForTurn {
  readonly messages: readonly { readonly role: string; readonly content: unknown }[];
  readonly key: string | undefined;
  readonly characters: number;
}

/**
 * A model server for both: what streams is the conversation, answered by `answering` unless `refuseTurns` says otherwise; what does not
 * is a summary, answered as the test says. The caller closes it.
 */
export interface SummaryModel {
  /** OpenAI base URL, ending in `/v1`. */
  readonly url: string;
  summaries: AskedForSummary[];
  turns: AskedForTurn[];
  answer: (response: ServerResponse, n: number) => void;
  /** True: this request of a run is refused as too long, by the provider's code. */
  isTooLong: (turn: AskedForTurn) => boolean;
  /** Summaries wait until `go`; `begun` resolves with the first, `left` when who asked waits no more. */
  hold(): { readonly begun: Promise<void>; readonly left: Promise<void>; go(text: string): void };
  close(): void;
}

export const sayText =
  (text: string) =>
  (response: ServerResponse): void => {
    response.writeHead(200, { "content-type": "application/json" });
    const choice = { index: 0, finish_reason: "stop", message: { role: "assistant", content: text } };
    const answer = {
      id: "1",
      object: "chat.completion",
      created: 1,
      model: "t",
      choices: [choice],
      usage: {},
    };
    response.end(JSON.stringify(answer));
  };

export const startSummaryModel = async (answering: () => string): Promise<SummaryModel> => {
  const server: Server = createServer(async (request, response) => {
    let body = "";
    for await (const chunk of request) body += String(chunk);
    const sent = JSON.parse(body) as { stream?: boolean; messages: AskedForTurn["messages"] };
    const key = request.headers.authorization;
    if (sent.stream !== true) {
      const text = (role: string): string =>
        JSON.stringify(sent.messages.find((m) => m.role === role)?.content ?? "");
      model.summaries.push({ system: text("system"), user: text("user"), key });
      model.answer(response, model.summaries.length);
      return;
    }
    const turn = { messages: sent.messages, key, characters: JSON.stringify(sent.messages).length };
    model.turns.push(turn);
    if (model.isTooLong(turn)) {
      response.writeHead(400, { "content-type": "application/json" });
      const error = {
        message: "no",
        type: "invalid_request_error",
        param: "messages",
        code: "context_length_exceeded",
      };
      response.end(JSON.stringify({ error }));
      return;
    }
    try {
      const base = answering().replace(/\/v1\/?$/, "");
      const headers = { "content-type": "application/json" };
      const said = await fetch(`${base}${request.url}`, { method: "POST", headers, body });
      response.writeHead(said.status, { "content-type": said.headers.get("content-type") ?? "" });
      if (said.body === null) response.end();
      else
        Readable.fromWeb(said.body as Parameters<typeof Readable.fromWeb>[0])
          .on("error", () => response.destroy())
          .pipe(response);
    } catch {
      response.destroy();
    }
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const model: SummaryModel = {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1`,
    summaries: [],
    turns: [],
    answer: sayText("- summary"),
    isTooLong: () => false,
    hold() {
      const begun = Promise.withResolvers<void>();
      const left = Promise.withResolvers<void>();
      const held: ServerResponse[] = [];
      let later: string | null = null;
      model.answer = (response) => {
        begun.resolve();
        response.on("close", () => left.resolve());
        if (later === null) held.push(response);
        else sayText(later)(response);
      };
      return {
        begun: begun.promise,
        left: left.promise,
        go: (text) => {
          later = text;
          for (const response of held) if (!response.destroyed) sayText(text)(response);
        },
      };
    },
    close() {
      server.closeAllConnections();
      server.close();
    },
  };
  return model;
};
