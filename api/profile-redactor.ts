import { createRedactor, failClosed, type Redactor } from "../common/logging/redact.ts";
import { resolveProfile } from "../common/profiles/resolve.ts";

/** What takes a profile's keys out of texts; where the profile cannot be read, whatever looks like a key. */
export const profileRedactor = async (home: string, profile: string): Promise<Redactor> => {
  const secrets = await resolveProfile(home, profile).then(
    (found) => found.secrets,
    () => [],
  );
  return failClosed(createRedactor(secrets));
};
