import { mkdir, realpath, stat } from "node:fs/promises";
import { isAbsolute, join, relative, sep } from "node:path";
import { TalariaError } from "../base/errors.ts";

/** Folders that are never a workspace, nor anything below those marked with a slash (security 9, 41). */
const SYSTEM = [
  "/bin/",
  "/boot/",
  "/dev/",
  "/etc/",
  "/lib/",
  "/lib64/",
  "/proc/",
  "/run/",
  "/sbin/",
  "/sys/",
  "/usr/",
  "/var/",
];
const ROOTS = new Set(["/", "/home", "/root", "/Users", "/opt", "/srv", "/mnt", "/media", "/tmp"]);

/**
 * The real path of a folder that a session may work in. Rejects with `workspace_refused` for relative paths, system
 * folders, folders that do not exist and folders around or inside the server's home (state, keys, other profiles);
 * a profile's own `workspace` folder is the exception.
 */
export const checkWorkspace = async (home: string, path: string): Promise<string> => {
  const refuse = (why: string): never => {
    throw new TalariaError("workspace_refused", `the workspace ${why}`);
  };
  if (!isAbsolute(path) || path.includes("\0")) return refuse("must be an absolute path");
  const real = await realpath(path).catch(() => refuse("does not exist"));
  if (!(await stat(real)).isDirectory()) return refuse("is not a folder");
  if (ROOTS.has(real) || SYSTEM.some((root) => `${real}/`.startsWith(root)))
    return refuse("is a system folder");
  const realHome = await realpath(home).catch(() => home);
  const inside = relative(realHome, real);
  if (real === realHome || isWithin(relative(real, realHome))) return refuse("holds the server's own files");
  if (isWithin(inside) && !isProfileWorkspace(inside)) return refuse("lies inside the server's own files");
  return real;
};

/** The folder of a run's tools: the session's, checked again because it may have changed, or the profile's own. */
export const workspaceOf = async (
  home: string,
  profileHome: string,
  chosen: string | null,
): Promise<string> => {
  if (chosen !== null) return checkWorkspace(home, chosen);
  const own = join(profileHome, "workspace");
  await mkdir(own, { recursive: true, mode: 0o700 });
  return realpath(own);
};

const isWithin = (path: string): boolean =>
  path !== "" && path !== ".." && !path.startsWith(`..${sep}`) && !isAbsolute(path);

const isProfileWorkspace = (inside: string): boolean => {
  const parts = inside.split(sep);
  const own = parts[0] === "profiles" ? parts.slice(2) : parts;
  return own[0] === "workspace";
};
