import { existsSync } from "node:fs";
import { join } from "node:path";
import express, { type Request, type RequestHandler } from "express";

/**
 * The page: files of the build, and `index.html` for every other address that a browser opens. Names of assets carry a
 * hash, so they are kept for ever; the page itself is always asked for again.
 */
export const webPage = (webDir: string | null): readonly RequestHandler[] => {
  if (webDir === null) return [buildMissing];
  const assets = express.static(join(webDir, "assets"), {
    immutable: true,
    maxAge: "1y",
    index: false,
    redirect: false,
    acceptRanges: false,
  });
  const files = express.static(webDir, {
    index: false,
    redirect: false,
    acceptRanges: false,
    cacheControl: false,
    setHeaders: (res) => res.setHeader("Cache-Control", "no-cache"),
  });
  return [
    (req, res, next) => {
      if (!req.url.startsWith("/assets/")) return next();
      const { url } = req;
      req.url = url.slice("/assets".length);
      assets(req, res, (error?: unknown) => {
        req.url = url;
        next(error);
      });
    },
    files,
    (req, res, next) => {
      if (!wantsPage(req)) return next();
      if (!existsSync(join(webDir, "index.html"))) return buildMissing(req, res, next);
      res.sendFile("index.html", {
        root: webDir,
        cacheControl: false,
        headers: { "Cache-Control": "no-cache" },
      });
    },
  ];
};

/** Browsers ask for HTML by name; a program that takes anything gets the page only at its address, and 404 elsewhere. */
const wantsPage = ({ method, path, headers }: Request): boolean =>
  (method === "GET" || method === "HEAD") &&
  !/^\/((api|assets)(\/|$)|ops\/)/i.test(path) &&
  (path === "/" || (headers.accept ?? "").includes("text/html"));

const buildMissing: RequestHandler = (req, res, next) => {
  if (!wantsPage(req)) return next();
  res
    .status(503)
    .set("Cache-Control", "no-store")
    .type("text/plain")
    .send(
      "The page has not been built yet. Run `npm run build` (or `npm start`, which does it), then reload.\n",
    );
};
