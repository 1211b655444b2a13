import { PatchSettingsBody, SettingsSchema } from "../../common/contracts/http.ts";
import type { SessionStore } from "../../common/sessions/port.ts";
import { operation, type Resource } from "../route.ts";

export interface SettingsRoutesDeps {
  readonly sessions: Pick<SessionStore, "settings" | "patchSettings">;
}

/** The server's settings. */
export const settingsRoutes = ({ sessions }: SettingsRoutesDeps): readonly Resource[] => [
  {
    path: "/api/settings",
    tag: "Settings",
    access: "protected",
    methods: {
      get: operation({
        summary: "The server's settings",
        answers: { 200: { description: "The settings", schema: SettingsSchema } },
        handle: async ({ res }) => void res.json(await sessions.settings()),
      }),
      patch: operation({
        summary: "Change settings",
        body: PatchSettingsBody,
        answers: { 200: { description: "The changed settings", schema: SettingsSchema } },
        handle: async ({ body, res }) => void res.json(await sessions.patchSettings(body)),
      }),
    },
  },
];
