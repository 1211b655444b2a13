import { createRequire } from "node:module";
import { dirname } from "node:path";
import { createBullBoard } from "@bull-board/api";
import { type ConnectionOptions, Queue } from "bullmq";
import type { RequestHandler } from "express";
import { TalariaError } from "../../common/base/errors.ts";
import { JOBS, type JobKind, queuePrefix, queuesOf } from "../../common/queues/catalog.ts";
import { DASHBOARD_POLICY } from "./dashboard-page.ts";
import { DASHBOARD_PATH } from "./dashboard-path.ts";
import { IdsOnlyQueue, type TextRedactor } from "./dashboard-queue.ts";
import { ReadOnlyServer } from "./dashboard-server.ts";

export interface Dashboard {
  /** Everything below `DASHBOARD_PATH`; it checks neither who asks nor from where. */
  readonly handler: RequestHandler;
  close(): Promise<void>;
}

export interface DashboardDeps {
  readonly connection: ConnectionOptions;
  /** The deployment's key prefix. */
  readonly prefix: string;
  /** Whose queues there are, those with work first. */
  readonly profiles: () => Promise<readonly string[]>;
  /** What takes a profile's keys out of a text. */
  readonly redactorOf: (profile: string) => Promise<TextRedactor>;
  readonly onError: (error: unknown) => void;
}

/** Profiles that are shown at once: each poll of the page asks Redis about each of their queues. */
const MAX_PROFILES = 100;

/** New profiles appear within this time. */
const LOOK_EVERY_MS = 2_000;

/**
 * bull-board, to look at only (security-contract 15): unsafe methods are refused here, its writing calls have no address, its queues are
 * in read-only mode, and jobs show ids. Its page has a policy of its own: it sets `<base>`, loads its chunks and a Web Worker by
 * script URLs that no Trusted Types policy covers. Inline scripts and other hosts are as forbidden as on any page of ours.
 */
export const createDashboard = (deps: DashboardDeps): Dashboard => {
  const { connection, prefix, profiles, redactorOf, onError } = deps;
  const server = new ReadOnlyServer();
  server.setBasePath(DASHBOARD_PATH);
  const board = createBullBoard({
    queues: [],
    serverAdapter: server,
    options: {
      uiBasePath: dirname(createRequire(import.meta.url).resolve("@bull-board/ui/package.json")),
      uiConfig: {
        boardTitle: "Talaria queues",
        hideRedisDetails: true,
        hideDocsLink: true,
        showWorkers: false,
        sortQueues: true,
        miscLinks: [{ text: "Talaria", url: "/" }],
      },
    },
  });

  const shown = new Map<string, { readonly queue: Queue; readonly view: IdsOnlyQueue }>();
  const add = (kind: JobKind, profile: string, name: string): void => {
    if (shown.has(name)) return;
    // Looking must not make a queue: without this its `meta` key would be written.
    const queue = new Queue(name, { connection, prefix: queuePrefix(prefix), skipMetasUpdate: true });
    queue.on("error", onError);
    const redactor = () => redactorOf(profile);
    shown.set(name, { queue, view: new IdsOnlyQueue({ kind, queue, redactor }) });
  };
  const look = async (): Promise<void> => {
    const names = [...new Set(await profiles())].slice(0, MAX_PROFILES);
    const kinds = Object.keys(JOBS) as JobKind[];
    const all = names.flatMap((profile) =>
      kinds.flatMap((kind) => queuesOf(kind, [profile]).map((name) => ({ kind, profile, name }))),
    );
    const wanted = new Set(all.map(({ name }) => name));
    for (const { kind, profile, name } of all) add(kind, profile, name);
    for (const [name, { queue }] of shown)
      if (!wanted.has(name)) {
        shown.delete(name);
        await queue.close().catch(onError);
      }
    board.replaceQueues([...shown.values()].map(({ view }) => view));
  };

  let last: { readonly at: number; readonly done: Promise<void> } | null = null;
  const fresh = (): Promise<void> => {
    if (last !== null && performance.now() - last.at < LOOK_EVERY_MS) return last.done;
    // One look after the other: two at once could close what the other one adds.
    const done = (last?.done ?? Promise.resolve()).catch(() => {}).then(look);
    const mine = { at: performance.now(), done };
    last = mine;
    done.catch(() => {
      if (last === mine) last = null;
    });
    return done;
  };

  const router = server.getRouter() as RequestHandler;
  return {
    handler: (req, res, next) => {
      if (req.method !== "GET" && req.method !== "HEAD") {
        res.set("Allow", "GET, HEAD");
        next(new TalariaError("method_not_allowed", "The dashboard is to look at only."));
        return;
      }
      res.setHeader("Content-Security-Policy", DASHBOARD_POLICY);
      fresh().then(() => router(req, res, next), next);
    },
    close: async () => {
      await Promise.all([...shown.values()].map(({ queue }) => queue.close().catch(onError)));
      shown.clear();
    },
  };
};
