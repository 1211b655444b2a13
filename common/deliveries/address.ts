import { BlockList, isIP } from "node:net";

/** Which addresses the server sends to when somebody else names them (security-contract 11). */
export interface AddressRules {
  /** `host:port` that may be private, as they stand in an address. Link-local ones never are. */
  readonly privateTargets: readonly string[];
}

/**
 * Why an address as it was given is refused, in words for people; null: it is not. What a name stands for is looked at again when it
 * is connected to (`mayConnect`), because it may be another one by then.
 */
export const refusalOf = (text: string, rules: AddressRules, push = false): string | null => {
  const url = URL.parse(text);
  if (url === null || (url.protocol !== "https:" && url.protocol !== "http:"))
    return "expected an http or https address";
  if (url.username !== "" || url.password !== "") return "the address must not hold a user or a password";
  const allowed = isAllowedPrivate(url, rules);
  if (push && url.protocol !== "https:" && !allowed) return "push services have https addresses";
  const host = bareHost(url);
  const literal = isIP(host) !== 0;
  const local = /(^|\.)(localhost|local|internal)\.?$/i.test(host);
  if (literal ? !mayConnect(host, allowed) : local && !allowed)
    return "the address is not a public one; TALARIA_WEBHOOK_PRIVATE names private ones that are allowed";
  return null;
};

/** Whether the target is one of those that may be private. */
export const isAllowedPrivate = (url: URL, { privateTargets }: AddressRules): boolean => {
  const port = url.port === "" ? (url.protocol === "https:" ? "443" : "80") : url.port;
  return privateTargets.includes(`${url.hostname.toLowerCase()}:${port}`);
};

/** The host of an address as it is connected to: IPv6 without its brackets. */
export const bareHost = ({ hostname }: URL): string => hostname.replace(/^\[|\]$/g, "");

/** Whether this IP address may be connected to; `privately`: also one that is not public. Mapped IPv4 counts as IPv4. */
export const mayConnect = (address: string, privately: boolean): boolean => {
  const family = isIP(address);
  if (family === 0) return false;
  const type = family === 6 ? "ipv6" : "ipv4";
  return !NEVER.check(address, type) && (privately || !PRIVATE.check(address, type));
};

const listOf = (v4: readonly string[], v6: readonly string[]): BlockList => {
  const list = new BlockList();
  for (const [type, networks] of [["ipv4", v4] as const, ["ipv6", v6] as const])
    for (const network of networks) {
      const [base = "", bits] = network.split("/");
      list.addSubnet(base, Number(bits), type);
    }
  return list;
};

/** Link-local ones, where clouds keep their machines' credentials, what carries an IPv4 address in disguise, and what is nobody's. */
const NEVER = listOf(
  ["0.0.0.0/8", "169.254.0.0/16", "100.100.100.200/32", "192.0.0.0/24", "224.0.0.0/4", "240.0.0.0/4"],
  [
    ...["::/128", "fe80::/10", "fec0::/10"],
    ...["64:ff9b::/96", "64:ff9b:1::/48", "2002::/16", "2001::/32", "fd00:ec2::/32", "ff00::/8"],
  ],
);

/** Everything else that is not public. */
const PRIVATE = listOf(
  [
    ...["10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "172.16.0.0/12", "192.0.2.0/24", "192.88.99.0/24"],
    ...["192.168.0.0/16", "198.18.0.0/15", "198.51.100.0/24", "203.0.113.0/24"],
  ],
  [...["::/96", "100::/64", "2001::/23", "2001:db8::/32", "3fff::/20", "5f00::/16", "fc00::/7"]],
);
