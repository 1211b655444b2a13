import type { Request, RequestHandler, Response, Router } from "express";
import type { z } from "zod";
import { type ErrorCode, type ErrorDetail, TalariaError } from "../common/base/errors.ts";

export type Method = "get" | "post" | "patch" | "delete";
export const METHODS: readonly Method[] = ["get", "post", "patch", "delete"];

/** One call, parsed: what a handler works with. */
export interface Call<Query, Body> {
  readonly req: Request;
  readonly res: Response;
  readonly query: Query;
  readonly body: Body;
  /** A path parameter; empty when the path has none of that name. */
  param(name: string): string;
}

export interface Answer {
  readonly description: string;
  readonly schema?: z.ZodType;
  /** "application/json" when absent. */
  readonly type?: string;
}

/** One method of a resource: what it takes, what it answers, what it does. The OpenAPI document is made from this. */
export interface OperationOf<Query extends z.ZodType, Body extends z.ZodType> {
  readonly summary: string;
  readonly description?: string;
  readonly query?: Query;
  readonly headers?: z.ZodObject;
  /** Parsed from JSON; a missing body counts as `{}`. */
  readonly body?: Body;
  readonly answers: Readonly<Record<string, Answer>>;
  readonly errors?: readonly ErrorCode[];
  handle(call: Call<z.output<Query>, z.output<Body>>): Promise<void> | void;
}
export type Operation = OperationOf<z.ZodType, z.ZodType>;

/** Gives `handle` the types of the schemas beside it. */
export const operation = <Query extends z.ZodType, Body extends z.ZodType>(
  it: OperationOf<Query, Body>,
): Operation => it;

/** An address and its methods. There is no other way to answer on an address of ours (security-contract "Pattern"). */
export interface Resource {
  /** Express path, e.g. `/api/runs/:id`; it is also the label of metrics. */
  readonly path: string;
  readonly tag: string;
  /** `protected`: needs a login when one is configured. */
  readonly access: "protected" | "public";
  /** Bytes that a body may have; 1 MB when absent. */
  readonly bodyLimit?: number;
  /** Event streams: not counted as requests, not timed. */
  readonly stream?: boolean;
  readonly methods: Readonly<Partial<Record<Method, Operation>>>;
}

/**
 * Mounts a resource: the guards in order, then the method's operation. A method that the resource lacks is 405 with
 * `Allow`; HEAD is served by GET; OPTIONS tells what is allowed and grants nothing to other origins.
 */
export const mountResource = (
  router: Router,
  resource: Resource,
  guards: readonly RequestHandler[],
  readBody: RequestHandler,
): void => {
  const allow = allowedMethods(resource).join(", ");
  router.all(resource.path, ...guards, (req, res, next) => {
    const method = (req.method === "HEAD" ? "get" : req.method.toLowerCase()) as Method;
    const found = Object.hasOwn(resource.methods, method) ? resource.methods[method] : undefined;
    if (found === undefined) {
      res.set("Allow", allow);
      if (req.method === "OPTIONS") res.status(204).end();
      else next(new TalariaError("method_not_allowed", `This address answers ${allow}.`));
      return;
    }
    const run = (error?: unknown): void => {
      if (error !== undefined) next(error);
      else
        Promise.resolve()
          .then(() => found.handle(parseCall(found, req, res)))
          .catch(next);
    };
    if (method === "get") run();
    else readBody(req, res, run);
  });
};

export const allowedMethods = ({ methods }: Resource): string[] =>
  METHODS.flatMap((method) =>
    methods[method] === undefined ? [] : method === "get" ? ["GET", "HEAD"] : [method.toUpperCase()],
  );

const parseCall = (found: Operation, req: Request, res: Response): Call<unknown, unknown> => ({
  req,
  res,
  query: found.query === undefined ? undefined : parse(found.query, req.query, "query"),
  body: found.body === undefined ? undefined : parse(found.body, req.body ?? {}, "body"),
  param: (name) => {
    const value = req.params[name];
    return typeof value === "string" ? value : "";
  },
});

/** Parses untrusted input, or throws `invalid_request` that names each fault and repeats no value of the input. */
export const parse = <T extends z.ZodType>(schema: T, input: unknown, where: string): z.output<T> => {
  const parsed = schema.safeParse(input);
  if (parsed.success) return parsed.data;
  const details = parsed.error.issues.flatMap(faultsOf).slice(0, 20);
  throw new TalariaError("invalid_request", `The ${where} of the request is not valid.`, { details });
};

const faultsOf = (issue: z.core.$ZodIssue): ErrorDetail[] => {
  const path = issue.path.map(String);
  const at = (more: readonly string[]): string => [...path, ...more].join(".").slice(0, 100);
  if (issue.code !== "unrecognized_keys") return [{ path: at([]), message: issue.message }];
  // A name is repeated only when it can be nothing but a name.
  return issue.keys.map((key) => ({
    path: at(/^[A-Za-z0-9_-]{1,64}$/.test(key) ? [key] : []),
    message: "this call knows no such field",
  }));
};
