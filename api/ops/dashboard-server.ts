import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { AppControllerRoute, AppViewRoute } from "@bull-board/api/typings/app";
import { ExpressAdapter } from "@bull-board/express";
import type { Request, Response } from "express";
import { TalariaError } from "../../common/base/errors.ts";
import { dashboardPage, type PageValues } from "./dashboard-page.ts";

/** The Express side of bull-board, with its reading calls alone: what could change a queue has no address here. */
export class ReadOnlyServer extends ExpressAdapter {
  #page: ((values: PageValues) => string) | null = null;

  constructor() {
    super();
    this.app.disable("x-powered-by");
    this.app.disable("etag");
  }

  /** No template engine: the page is ours. */
  override setViewsPath(path: string): this {
    this.#page = dashboardPage(readFileSync(join(path, "index.ejs"), "utf8"));
    return this;
  }

  override setEntryRoute({ route, handler }: AppViewRoute): this {
    this.app.get(route, (_req: Request, res: Response) => {
      const { params } = handler({ basePath: this.basePath, uiConfig: this.uiConfig });
      res.type("html").send(this.#page?.(params as unknown as PageValues));
    });
    return this;
  }

  override setApiRoutes(routes: AppControllerRoute[]): this {
    super.setApiRoutes(routes.filter(({ method }) => method === "get"));
    return this;
  }

  /** Errors go to our own handler: bull-board would show their text, addresses of Redis included. */
  override setErrorHandler(): this {
    return super.setErrorHandler((error) => {
      // It decodes names of queues once more than Express does.
      if (error.name === "URIError")
        throw new TalariaError("invalid_request", "The name of the queue is not valid.", { cause: error });
      throw error;
    });
  }
}
