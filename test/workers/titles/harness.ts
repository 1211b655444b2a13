import type { Route } from "../../../workers/auxiliary/route.ts";
import type { Directives } from "../../../workers/engines/demo/directives.ts";
import { createModelServer, type ModelServer } from "../../../workers/engines/demo/model-server.ts";
import type { Script } from "../../../workers/engines/demo/plan.ts";
import {
  createTitleGenerator,
  type GenerateTitle,
  type TitleOutcome,
  type TitleRequest,
} from "../../../workers/titles/generate.ts";

export const NO_DEMO = { baseUrl: () => Promise.reject(new Error("no demo model here")) };

/** An answer of the scripted model: its text, or a whole script. */
export type Said = string | Script;

/** A model server that gives these answers in order; the last one for every further request. */
export const withAnswers = async <T>(
  answers: readonly Said[],
  work: (server: ModelServer) => Promise<T>,
): Promise<T> => {
  let asked = 0;
  const script = (): Script => {
    const said = answers[Math.min(asked++, answers.length - 1)] ?? "";
    return typeof said === "string" ? { text: said } : said;
  };
  const server = await createModelServer({ script }).listen(0);
  try {
    return await work(server);
  } finally {
    await server.close();
  }
};

export const faulty = (directives: Partial<Directives>, text = "Login Bug Fix"): Script => ({
  text,
  directives,
});

/** Models of one name have one memory of what is rejected, so each route has a name of its own. */
export const routeTo = (server: Pick<ModelServer, "url">, changes: Partial<Route> = {}): Route => ({
  name: "session",
  model: { provider: "custom", model: "m", baseUrl: server.url, apiKey: "route-key" },
  temperature: 0.1,
  timeoutMs: 5_000,
  ...changes,
});

export const EXCHANGE = {
  userText: "Please help me fix the login bug in src/auth/login.ts",
  assistantText: "The token was compared with == and expired.",
};

export interface Logged {
  readonly lines: unknown[];
}

export const generateWith = (
  routes: readonly Route[],
  changes: Partial<TitleRequest> = {},
  generate: GenerateTitle = createTitleGenerator({ demo: NO_DEMO }),
): Promise<TitleOutcome> =>
  generate({
    exchange: EXCHANGE,
    routes,
    signal: new AbortController().signal,
    log: { debug: () => undefined },
    ...changes,
  });

/** What the server was sent, as far as titles care. */
export interface SentBody {
  readonly model: string;
  readonly messages: readonly { readonly role: string; readonly content: string }[];
  readonly max_tokens?: number;
  readonly temperature?: number;
  readonly reasoning_effort?: string;
  readonly stream?: boolean;
}

export const sentTo = (server: ModelServer): readonly SentBody[] => server.requests() as readonly SentBody[];
