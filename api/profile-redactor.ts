import { createRedactor, failClosed, type Redactor } from "../common/logging/redact.ts";
import { parseFiles, readFiles } from "../common/profiles/files.ts";
import { profileSecrets } from "../common/profiles/resolve.ts";

/** What takes a profile's keys out of texts; where the profile cannot be read, whatever looks like a key. */
export const profileRedactor = async (home: string, profile: string): Promise<Redactor> => {
  const secrets = await readFiles(home, profile).then(
    (files) => profileSecrets(parseFiles(files)),
    () => [],
  );
  return failClosed(createRedactor(secrets));
};
