import { createServer, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { Readable } from "node:stream";

export interface TaskRequest {
  readonly body: string;
  readonly key: string | undefined;
}

/** A model server whose answers to background work a test says; what streams is a conversation and goes to another one. */
export interface TaskModel {
  /** OpenAI base URL. */
  readonly url: string;
  /** Requests of background work, oldest first. */
  readonly asked: readonly TaskRequest[];
  /** Requests of conversations, oldest first. */
  readonly said: readonly string[];
  /** Answers from now on with these texts in turn, the last one for ever. */
  say(...texts: readonly string[]): void;
  /** Ends the answers with "length" as long as fewer tokens than this were allowed. */
  cutBelow(tokens: number): void;
  fail(status: number): void;
  /** Answers when it is let go. */
  hold(): {
    readonly begun: Promise<void>;
    /** Who asked waits no more. */
    readonly left: Promise<void>;
    go(text: string): void;
  };
  /** Forgets requests and answers. */
  forget(): void;
  close(): void;
}

export const startTaskModel = async (conversation: () => { readonly url: string }): Promise<TaskModel> => {
  let asked: TaskRequest[] = [];
  let said: string[] = [];
  let cut = 0;
  let answer: (response: ServerResponse, n: number, body: string) => void;
  const saying =
    (texts: readonly string[]) =>
    (response: ServerResponse, n: number, body: string): void => {
      const content = texts[Math.min(n, texts.length) - 1] ?? "";
      const { max_tokens = cut, max_completion_tokens = max_tokens } = JSON.parse(body) as Record<
        string,
        number
      >;
      const finish_reason = max_completion_tokens < cut ? "length" : "stop";
      const choices = [{ index: 0, finish_reason, message: { role: "assistant", content } }];
      const whole = { id: "1", object: "chat.completion", created: 1, model: "t", choices, usage: {} };
      response.writeHead(200, { "content-type": "application/json" });
      response.end(JSON.stringify(whole));
    };
  const forget = (): void => {
    [asked, said, cut] = [[], [], 0];
    answer = saying(["- One thing is open.\n- Another one was decided."]);
  };
  forget();

  const server = createServer(async (request, response) => {
    let body = "";
    for await (const chunk of request) body += String(chunk);
    if ((JSON.parse(body) as { stream?: boolean }).stream !== true) {
      asked.push({ body, key: request.headers.authorization });
      answer(response, asked.length, body);
      return;
    }
    said.push(body);
    const base = conversation().url.replace(/\/v1\/?$/, "");
    const headers = { "content-type": "application/json" };
    const told = await fetch(`${base}${request.url}`, { method: "POST", headers, body });
    response.writeHead(told.status, { "content-type": told.headers.get("content-type") ?? "" });
    if (told.body === null) response.end();
    else Readable.fromWeb(told.body as Parameters<typeof Readable.fromWeb>[0]).pipe(response);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));

  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1`,
    get asked() {
      return asked;
    },
    get said() {
      return said;
    },
    say: (...texts) => {
      answer = saying(texts);
    },
    cutBelow: (tokens) => {
      cut = tokens;
    },
    fail: (status) => {
      answer = (response) => void response.writeHead(status).end("no");
    },
    hold: () => {
      const begun = Promise.withResolvers<void>();
      const left = Promise.withResolvers<void>();
      const held: (() => void)[] = [];
      let later: string | null = null;
      answer = (response, _n, body) => {
        begun.resolve();
        response.on("close", () => left.resolve());
        const speak = (): void => saying([later ?? ""])(response, 1, body);
        if (later === null) held.push(speak);
        else speak();
      };
      return {
        begun: begun.promise,
        left: left.promise,
        go: (text) => {
          later = text;
          for (const speak of held) speak();
        },
      };
    },
    forget,
    close: () => {
      server.closeAllConnections();
      server.close();
    },
  };
};
