import { parseDocument } from "yaml";
import { z } from "zod";
import { TalariaError } from "../base/errors.ts";
import type { RunLimits } from "../contracts/profile.ts";
import { MAX_PROFILE_STEPS, MAX_RUN_LIMIT } from "../contracts/profile-rules.ts";
import { readAuxiliarySettings } from "./auxiliary-settings.ts";
import { readContextSettings } from "./context-settings.ts";
import { type McpSection, parseMcpServers } from "./mcp-servers.ts";
import type { Auxiliary, ContextSettings, ProfileModel } from "./port.ts";
import { keyNamesOf, originOf } from "./providers.ts";
import { expandSetting } from "./template.ts";

/** What we read of a profile's `config.yaml`. */
export interface ProfileSettings {
  readonly model: ProfileModel;
  /** As the file has it, for people: nothing is filled in. */
  readonly written: { readonly provider: string; readonly model: string; readonly baseUrl: string | null };
  /** Variables that may hold the key of the provider, in order of preference; none for the demo model. */
  readonly keyNames: readonly string[];
  /** The origin that the provider's key is sent to; null: to nobody. */
  readonly keyOrigin: string | null;
  readonly botName: string | null;
  readonly maxSteps: number | null;
  readonly limits: RunLimits;
  /** Skills that are not offered to the model. */
  readonly disabledSkills: readonly string[];
  /** Tool servers, not expanded. */
  readonly mcp: McpSection;
  readonly auxiliary: Auxiliary;
  readonly context: ContextSettings;
  /** What was not understood and does not matter enough to refuse the file. */
  readonly warnings: readonly string[];
}

/** Throws `profile_unavailable` for a file that cannot be understood; the message names `what` and never quotes the file (P-6). */
export const parseSettings = (
  text: string,
  env: Readonly<Record<string, string>>,
  what: string,
): ProfileSettings => {
  const refuse: Refuse = (reason, cause) => {
    throw new TalariaError("profile_unavailable", `${what} is invalid: ${reason}`, { cause });
  };
  const parsed = SettingsSchema.safeParse(toPlain(text, refuse) ?? {});
  if (!parsed.success)
    return refuse(parsed.error.issues.map((issue) => issue.path.join(".") || "not a map").join(", "));
  const {
    model: section,
    bot_name: botName,
    agent,
    limits,
    skills,
    mcp_servers,
    auxiliary,
    compression,
  } = parsed.data;
  const model = modelOf(section ?? null, env);
  const background = readAuxiliarySettings(auxiliary ?? {}, env, model.model);
  const context = readContextSettings(section?.context_length, compression);
  return {
    ...model,
    ...{ auxiliary: background.auxiliary, context: context.settings },
    warnings: [...background.warnings, ...context.warnings],
    ...{ botName, maxSteps: agent?.max_steps ?? null, disabledSkills: skills?.disabled ?? [] },
    limits: {
      concurrent_runs: limits?.concurrent_runs ?? null,
      runs_per_minute: limits?.runs_per_minute ?? null,
    },
    mcp: parseMcpServers(mcp_servers),
  };
};

type Refuse = (reason: string, cause?: unknown) => never;

const plain = z.union([z.string(), z.number()]).transform((value) => String(value).trim());
const optional = plain.nullish().transform((value) => (value === "" ? null : (value ?? null)));

const limit = z.int().min(1).max(MAX_RUN_LIMIT).nullish();

/** The file belongs to others as well, so everything else passes by. */
const SettingsSchema = z.object({
  model: z
    .union([
      plain.transform((text) => ({
        ...{ default: text === "" ? null : text, provider: null, base_url: null },
        context_length: undefined as unknown,
      })),
      z.object({
        ...{ default: optional, provider: optional, base_url: optional },
        context_length: z.unknown().optional(),
      }),
    ])
    .nullish(),
  bot_name: optional,
  agent: z.object({ max_steps: z.int().min(1).max(MAX_PROFILE_STEPS).nullish() }).nullish(),
  limits: z.object({ concurrent_runs: limit, runs_per_minute: limit }).nullish(),
  skills: z
    .object({ disabled: z.array(z.string()).catch([]) })
    .nullish()
    .catch(null),
  mcp_servers: z.unknown().optional(),
  auxiliary: z.record(z.string(), z.unknown()).nullish().catch(null),
  compression: z.unknown().optional(),
});

const toPlain = (text: string, refuse: Refuse): unknown => {
  const document = parseDocument(text, { prettyErrors: false, logLevel: "silent" });
  const [fault] = document.errors;
  // Position and code only: the message may quote the file.
  if (fault !== undefined) refuse(`${fault.code} at character ${fault.pos[0]}`);
  try {
    // Alias bombs and the like throw only here.
    return document.toJS({ maxAliasCount: 100 });
  } catch (error) {
    return refuse("it cannot be expanded", error);
  }
};

interface ModelSection {
  readonly default: string | null;
  readonly provider: string | null;
  readonly base_url: string | null;
}

/** native-api "Model of a profile": no provider is `demo`, unless a `base_url` says that it is a server of one's own. */
const modelOf = (
  section: ModelSection | null,
  env: Readonly<Record<string, string>>,
): Pick<ProfileSettings, "model" | "written" | "keyNames" | "keyOrigin"> => {
  const baseUrl = expandSetting(section?.base_url ?? null, env);
  const provider = (section?.provider ?? (baseUrl === null ? "demo" : "custom")).toLowerCase();
  const keyNames = keyNamesOf(provider);
  const apiKey = keyNames.map((key) => env[key]).find(Boolean) ?? null;
  return {
    model: { provider, model: expandSetting(section?.default ?? null, env) ?? "", baseUrl, apiKey },
    written: { provider, model: section?.default ?? "", baseUrl: section?.base_url ?? null },
    keyNames,
    keyOrigin: originOf(provider, baseUrl),
  };
};
