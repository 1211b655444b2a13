import type { AuxiliarySettings } from "../../common/profiles/port.ts";
import { pickedModel } from "../../common/profiles/providers.ts";
import type { ModelSettings } from "../engines/port.ts";

/** A way to an answer for background work: a model with its own address and key, and how it is asked. */
export interface Route {
  /** `auxiliary`: the profile's model for this task; `session`: the one that the session talks to. */
  readonly name: "auxiliary" | "session";
  readonly model: ModelSettings;
  readonly temperature: number;
  /** Of one call. */
  readonly timeoutMs: number;
}

/**
 * The routes of a session's background work, in the order in which they are tried: the profile's model for the task, if it has
 * one, then the session's (background-jobs 1.2). `sessionModel` is the session's choice, null for the profile's default; when it
 * is pinned to a provider that the profile does not use, the session has no route, since no other provider steps in for it
 * (B-34). Whether the task is on is not asked here.
 */
export const auxiliaryRoutes = (
  { model: dedicated, timeoutMs }: Pick<AuxiliarySettings, "model" | "timeoutMs">,
  chat: ModelSettings,
  sessionModel: string | null,
): readonly Route[] => {
  const own = sessionModelOf(chat, sessionModel);
  const routes: Route[] = [];
  if (dedicated !== null) routes.push({ name: "auxiliary", model: dedicated, temperature: 0.2, timeoutMs });
  if (own !== null && (dedicated === null || !isSame(own, dedicated)))
    routes.push({ name: "session", model: own, temperature: 0.1, timeoutMs });
  return routes;
};

const sessionModelOf = (chat: ModelSettings, sessionModel: string | null): ModelSettings | null => {
  const { provider, model } = pickedModel(sessionModel ?? chat.model);
  return provider === null || provider === chat.provider ? { ...chat, model } : null;
};

const isSame = (a: ModelSettings, b: ModelSettings): boolean =>
  a.provider === b.provider && a.model === b.model && a.baseUrl === b.baseUrl && a.apiKey === b.apiKey;
