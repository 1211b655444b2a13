import { inspect } from "node:util";
import type { EnvTable } from "./env-table.ts";

/**
 * An object that is used like process.env and shows, for each access, the table that `current` names: reading, `in`,
 * enumerating, copying, JSON, deleting and the default environment of child processes all go through it (P-12).
 */
export const createEnvProxy = (current: () => EnvTable): NodeJS.ProcessEnv => {
  // An empty target: with the real one behind it every access would ask the operating system a second time.
  const target: NodeJS.ProcessEnv = {};
  // console.log looks at a proxy's target and not through its traps.
  Object.defineProperty(target, inspect.custom, { value: () => ({ ...proxy }), configurable: true });
  const proxy = new Proxy(target, {
    get: (shape, name) =>
      (typeof name === "string" ? current().get(name) : undefined) ?? Reflect.get(shape, name),
    has: (shape, name) =>
      (typeof name === "string" && current().get(name) !== undefined) || Reflect.has(shape, name),
    ownKeys: () => [...current().names()],
    getOwnPropertyDescriptor: (_shape, name) => {
      const value = typeof name === "string" ? current().get(name) : undefined;
      return value === undefined
        ? undefined
        : { value, writable: true, enumerable: true, configurable: true };
    },
    set: (_shape, name, value: unknown) => assign(current(), name, value),
    defineProperty: (_shape, name, { value, writable, enumerable, configurable }) => {
      // As Node has it: a variable can be nothing but a plain value.
      if (value === undefined || !writable || !enumerable || !configurable) return false;
      return assign(current(), name, value);
    },
    deleteProperty: (_shape, name) => {
      if (typeof name === "string") current().delete(name);
      return true;
    },
    preventExtensions: () => false,
    // The prototype is seen by every scope.
    setPrototypeOf: () => false,
  });
  return proxy;
};

/** undefined deletes: plain Node would store the text "undefined" (profiles, section 3). */
const assign = (table: EnvTable, name: string | symbol, value: unknown): boolean => {
  if (typeof name === "symbol") return false;
  if (value === undefined) table.delete(name);
  else table.set(name, `${value}`);
  return true;
};
