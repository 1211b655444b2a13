import type { RequestHandler, Response } from "express";
import { newId } from "../../common/base/ids.ts";

/** Names each request, in the answer and in the logs. A client's own name for it is never taken over. */
export const requestId = (): RequestHandler => (_req, res, next) => {
  const id = newId("req");
  res.locals.requestId = id;
  res.setHeader("X-Request-Id", id);
  next();
};

export const requestIdOf = (res: Response): string => String(res.locals.requestId ?? "");
