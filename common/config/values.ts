import { isIP } from "node:net";
import { z } from "zod";

/** Any text that is not blank. */
export const text = z.string().trim().min(1);
/** A whole number in this range. */
export const whole = (least: number, most: number) =>
  z
    .string()
    .trim()
    .regex(/^\d{1,15}$/)
    .transform(Number)
    .pipe(z.number().int().min(least).max(most));
/** Separated by commas; empty parts are left out. */
export const list = (item: z.ZodType<string, string>) =>
  z
    .string()
    .transform((value) => value.split(",").map((part) => part.trim()))
    .transform((parts) => parts.filter((part) => part !== ""))
    .pipe(z.array(item));

/** An IP address, or a network of some. */
export const isProxy = (value: string): boolean => {
  const [address = "", bits, more] = value.split("/");
  const family = isIP(address);
  if (family === 0 || more !== undefined) return false;
  return bits === undefined || (/^\d{1,3}$/.test(bits) && Number(bits) <= (family === 4 ? 32 : 128));
};

/** redis://, rediss://, or the path of a socket. */
export const isRedisUrl = (value: string): boolean => {
  if (value.startsWith("/")) return true;
  const url = URL.parse(value);
  return url !== null && (url.protocol === "redis:" || url.protocol === "rediss:") && url.hostname !== "";
};

/** An http(s) address without user, password, query and fragment. */
export const isOriginPath = (value: string): boolean => {
  const url = URL.parse(value);
  return (
    url !== null &&
    /^https?:$/.test(url.protocol) &&
    url.search === "" &&
    url.hash === "" &&
    url.username === "" &&
    url.password === ""
  );
};

/** What `whole` expects, in words. */
export const range = (least: number, most: number, unit: string): string =>
  `a whole number of ${unit}, ${least} to ${most}`;
