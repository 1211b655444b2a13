import { createDemoScript } from "./conversation.ts";
import { createModelServer, type ModelServer } from "./model-server.ts";

export interface DemoEndpoint {
  /** OpenAI base URL of the demo model; the first call starts it on a free loopback port. */
  baseUrl(): Promise<string>;
  close(): Promise<void>;
}

/** Tokens per second that read pleasantly. */
const PLEASANT_RATE = 60;

/**
 * The demo model: offline, deterministic, and spoken to over HTTP like any provider, so that a fresh machine exercises the
 * same code as a real one. `rate` 0 answers as fast as possible.
 */
export const createDemoEndpoint = (options: { readonly rate?: number } = {}): DemoEndpoint => {
  const rate = options.rate ?? PLEASANT_RATE;
  let starting: Promise<ModelServer> | null = null;
  return {
    async baseUrl() {
      starting ??= createModelServer({
        defaults: { rate },
        script: createDemoScript(rate),
        // Other accounts of the machine reach a loopback port: they learn nothing of what was said.
        inspect: false,
      })
        .listen(0)
        .catch((error: unknown) => {
          starting = null;
          throw error;
        });
      return (await starting).url;
    },
    async close() {
      const running = starting;
      starting = null;
      await (await running?.catch(() => null))?.close();
    },
  };
};
