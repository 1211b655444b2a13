/** A path the model gave that is not taken, with the reason for it to read. Never holds a path outside the workspace. */
export class PathRefused extends Error {
  constructor(message: string) {
    super(message);
    this.name = "PathRefused";
  }
}

const MAX_COMPONENTS = 64;
const MAX_NAME_BYTES = 255;

/** Secrets and state, wherever they lie (security-contract 9); compared in lower case. */
const DENIED = [
  /^\.env/,
  /^auth\.json$/,
  /^(state|talaria)\.db/,
  /^id_(rsa|dsa|ecdsa|ed25519)/,
  /\.(pem|key|p12|pfx|jks|keystore)$/,
  /^\.(ssh|gnupg|aws|netrc|npmrc|pypirc|pgpass|git-credentials)$/,
];

/** True for names that no tool reads, writes or lists. */
export const isDeniedName = (name: string): boolean => {
  // Some file systems take a name with other letters, case or trailing dots for the same file.
  const plain = name
    .normalize("NFKC")
    .toLowerCase()
    .replace(/[. ]+$/, "");
  return DENIED.some((denied) => denied.test(plain));
};

/**
 * The names on the way from the workspace to `path`, outermost first; empty for the workspace itself. An absolute path is
 * taken when it starts with the workspace's own. Throws `PathRefused`. This looks at the text only; links are the
 * business of the walk (confined.ts).
 */
export const splitPath = (path: string, workspace: string): readonly string[] => {
  const inside =
    path === workspace ? "" : path.startsWith(`${workspace}/`) ? path.slice(workspace.length) : null;
  if (inside === null && path.startsWith("/")) throw new PathRefused("The path is outside the workspace.");
  const names = (inside ?? path).split("/").filter((name) => name !== "" && name !== ".");
  if (names.length > MAX_COMPONENTS) throw new PathRefused("The path is too deep.");
  for (const name of names) checkName(name);
  return names;
};

const checkName = (name: string): void => {
  if (name === "..") throw new PathRefused("The path may not contain '..'.");
  if (name.includes("\\") || /^[A-Za-z]:/.test(name))
    throw new PathRefused("Separate folders with '/' and start from the workspace.");
  if (hasControlCharacter(name)) throw new PathRefused("The path has control characters in it.");
  if (Buffer.byteLength(name) > MAX_NAME_BYTES) throw new PathRefused("A name in the path is too long.");
  if (isDeniedName(name))
    throw new PathRefused(`"${name}" may hold secrets or state; tools do not touch it.`);
};

const hasControlCharacter = (name: string): boolean => {
  for (let i = 0; i < name.length; i++) {
    const code = name.charCodeAt(i);
    if (code < 32 || code === 127) return true;
  }
  return false;
};
