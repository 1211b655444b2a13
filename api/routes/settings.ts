import { PatchSettingsBody, ProfileList, SettingsSchema } from "../../common/contracts/http.ts";
import type { SessionStore } from "../../common/sessions/port.ts";
import { operation, type Resource } from "../route.ts";

export interface SettingsRoutesDeps {
  readonly sessions: Pick<SessionStore, "settings" | "patchSettings">;
  readonly profiles: { list(): Promise<readonly string[]> };
}

/** The server's settings and the names of its profiles. */
export const settingsRoutes = ({ sessions, profiles }: SettingsRoutesDeps): readonly Resource[] => [
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
  {
    path: "/api/profiles",
    tag: "Settings",
    access: "protected",
    methods: {
      get: operation({
        summary: "The profiles of this server",
        answers: { 200: { description: "Profiles by name", schema: ProfileList } },
        async handle({ res }) {
          const names = await profiles.list();
          res.json({ data: names.map((name) => ({ name })), next_cursor: null });
        },
      }),
    },
  },
];
