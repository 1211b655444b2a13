import { listProfiles } from "../common/profiles/names.ts";
import type { TalariaDb } from "../common/talaria-db/open.ts";
import type { Dashboard, DashboardDeps } from "./ops/dashboard.ts";
import { profileRedactor } from "./profile-redactor.ts";

export interface DashboardSources extends Pick<DashboardDeps, "connection" | "prefix" | "onError"> {
  readonly home: string;
  readonly db: { readonly read: Pick<TalariaDb["read"], "busyProfiles"> };
}

/** The dashboard of the home's profiles, those with work first. bull-board is loaded here, so only where the dashboard is on. */
export const openDashboard = async ({ home, db, ...rest }: DashboardSources): Promise<Dashboard> => {
  const { createDashboard } = await import("./ops/dashboard.ts");
  return createDashboard({
    ...rest,
    profiles: async () => [...(await db.read.busyProfiles()), ...(await listProfiles(home))],
    redactorOf: (profile) => profileRedactor(home, profile),
  });
};
