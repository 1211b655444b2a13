import { z } from "zod";
import {
  createDocument,
  type oas31,
  type ZodOpenApiOperationObject,
  type ZodOpenApiPathsObject,
  type ZodOpenApiResponsesObject,
} from "zod-openapi";
import { ERROR_STATUS } from "../../common/base/errors.ts";
import {
  RESET_SCHEMA,
  RUN_EVENT_ENVELOPE,
  RUN_EVENT_SCHEMAS,
  SESSION_EVENT_SCHEMAS,
  SESSIONS_CHANGED_SCHEMA,
  SNAPSHOT_SCHEMA,
} from "../../common/contracts/events.ts";
import { ErrorAnswer } from "../../common/contracts/http.ts";
import { IdSchema } from "../../common/contracts/ids.ts";
import { METHODS, type Operation, type Resource } from "../route.ts";

export type OpenApiDocument = oas31.OpenAPIObject;

/** The OpenAPI 3.1 document of `resources`, made from the schemas that parse requests; it cannot say anything else. */
export const openApiDocument = (resources: readonly Resource[], version: string): OpenApiDocument =>
  createDocument({
    openapi: "3.1.0",
    info: {
      title: "Talaria",
      version,
      license: { name: "MIT", identifier: "MIT" },
      description: INTRODUCTION,
    },
    tags: [...new Set(resources.map(({ tag }) => tag))].map((name) => ({ name })),
    paths: pathsOf(resources),
    components: {
      securitySchemes: {
        token: { type: "http", scheme: "bearer" },
        login: { type: "apiKey", in: "cookie", name: "talaria_<port>" },
      },
      schemas: eventSchemas(),
    },
  }) as OpenApiDocument;

const INTRODUCTION = [
  "Durable AI agent runs. Times are epoch seconds, ids are opaque strings, errors are `{error: {code, message, details?}}`.",
  "Event streams send frames of `id`, `event` and `data`; the payloads are the schemas named `Event.*`.",
].join(" ");

const pathsOf = (resources: readonly Resource[]): ZodOpenApiPathsObject => {
  const paths: ZodOpenApiPathsObject = {};
  for (const resource of resources) {
    const names = [...resource.path.matchAll(/:(\w+)/g)].map(([, name]) => name ?? "");
    const path = resource.path.replaceAll(/:(\w+)/g, "{$1}");
    for (const method of METHODS) {
      const operation = resource.methods[method];
      if (operation !== undefined)
        paths[path] = { ...paths[path], [method]: describe(resource, operation, names) };
    }
  }
  return paths;
};

const describe = (
  { tag, access }: Resource,
  operation: Operation,
  names: readonly string[],
): ZodOpenApiOperationObject => {
  const { summary, description, query, headers, body } = operation;
  const path = z.object(Object.fromEntries(names.map((name) => [name, IdSchema])));
  const fields = body instanceof z.ZodObject ? Object.keys(body.shape) : [];
  return {
    tags: [tag],
    summary,
    ...(description === undefined ? {} : { description }),
    ...(access === "public" ? {} : { security: [{ token: [] }, { login: [] }, {}] }),
    requestParams: {
      ...(names.length === 0 ? {} : { path }),
      ...(query instanceof z.ZodObject ? { query } : {}),
      ...(headers === undefined ? {} : { header: headers }),
    },
    ...(body === undefined || fields.length === 0
      ? {}
      : { requestBody: { required: true, content: { "application/json": { schema: body } } } }),
    responses: answersOf(operation, access),
  };
};

const answersOf = ({ answers, errors = [], query, body }: Operation, access: Resource["access"]) => {
  const responses: ZodOpenApiResponsesObject = {};
  for (const [status, { description, schema, type = "application/json" }] of Object.entries(answers))
    responses[status as "200"] = {
      description,
      ...(schema === undefined
        ? type === "application/json"
          ? {}
          : { content: { [type]: { schema: { type: "string" } } } }
        : { content: { [type]: { schema } } }),
    };
  const codes = new Map<number, string[]>();
  const all = [
    ...(query === undefined && body === undefined ? [] : (["invalid_request"] as const)),
    ...(access === "public" ? [] : (["unauthorized"] as const)),
    ...errors,
  ];
  for (const code of all) codes.set(ERROR_STATUS[code], [...(codes.get(ERROR_STATUS[code]) ?? []), code]);
  for (const [status, names] of codes)
    responses[String(status) as "400"] ??= {
      description: names.map((name) => `\`${name}\``).join(", "),
      content: { "application/json": { schema: ErrorAnswer } },
    };
  return responses;
};

const eventSchemas = (): Record<string, z.ZodType> => {
  const schemas: Record<string, z.ZodType> = {};
  for (const [name, payload] of Object.entries(RUN_EVENT_SCHEMAS))
    schemas[`Event.${name}`] = RUN_EVENT_ENVELOPE.extend(payload.shape);
  for (const [name, schema] of Object.entries({
    ...SESSION_EVENT_SCHEMAS,
    reset: RESET_SCHEMA,
    snapshot: SNAPSHOT_SCHEMA,
    sessions_changed: SESSIONS_CHANGED_SCHEMA,
  }))
    schemas[`Event.${name}`] = schema;
  return schemas;
};
