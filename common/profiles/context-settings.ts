import { isRecord } from "../base/record.ts";
import type { ContextSettings, Profile } from "./port.ts";

/** A window that every model of the last years has, where nothing says more. */
const ASSUMED_CONTEXT_LENGTH = 128_000;
const MIN_LENGTH = 1_000;
const MAX_LENGTH = 20_000_000;
const DEFAULT_THRESHOLD = 0.75;

/**
 * Reads `model.context_length` and `compression:` of a profile's config.yaml. What is wrong in it is said in a warning and its
 * default used: a wrong number must not stop runs that would fit anyway.
 */
export const readContextSettings = (
  length: unknown,
  section: unknown,
): { readonly settings: ContextSettings; readonly warnings: readonly string[] } => {
  const warnings: string[] = [];
  const map = isRecord(section) ? section : {};
  if (section !== undefined && section !== null && !isRecord(section)) warnings.push("compression is no map");
  const number = (value: unknown, [min, max]: readonly [number, number], name: string): number | null => {
    if (value === undefined || value === null) return null;
    const found = typeof value === "string" && value.trim() !== "" ? Number(value) : value;
    if (typeof found === "number" && found >= min && found <= max) return found;
    warnings.push(`${name} is no number from ${min} to ${max}`);
    return null;
  };
  const contextLength = number(length, [MIN_LENGTH, MAX_LENGTH], "model.context_length");
  const { enabled } = map;
  return {
    settings: {
      contextLength: contextLength === null ? null : Math.floor(contextLength),
      automatic: !(enabled === false || enabled === 0 || /^(?:0|false|no|off)$/i.test(String(enabled ?? ""))),
      threshold: number(map.threshold, [0.1, 0.95], "compression.threshold") ?? DEFAULT_THRESHOLD,
    },
    warnings,
  };
};

/** What that means in tokens for the model that was chosen; null: the profile's own. Another one has the assumed window. */
export const contextLimits = (
  { context, model }: Pick<Profile, "context" | "model">,
  chosen: string | null,
): { readonly contextLength: number; readonly thresholdTokens: number; readonly automatic: boolean } => {
  const { contextLength, automatic, threshold } = context;
  const isOwnModel = chosen === null || chosen === model.model;
  const length = (isOwnModel ? contextLength : null) ?? ASSUMED_CONTEXT_LENGTH;
  return { contextLength: length, thresholdTokens: Math.floor(length * threshold), automatic };
};
