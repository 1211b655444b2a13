/** A part of a path that is longer is taken for a key: many services put theirs there. */
const PLAIN_SEGMENT = /^[A-Za-z0-9._~-]{0,20}$/;

/** An address as it may be shown: host and path, without the values of a query and without what looks like a key. */
export const maskUrl = (text: string): string => {
  const url = URL.parse(text);
  if (url === null) return "…";
  const path = url.pathname
    .split("/")
    .map((part) => (PLAIN_SEGMENT.test(part) ? part : "…"))
    .join("/");
  const names = [...url.searchParams.keys()].map((name) => (PLAIN_SEGMENT.test(name) ? name : "…"));
  const query = names.length === 0 ? "" : `?${names.map((name) => `${name}=…`).join("&")}`;
  return `${url.protocol}//${url.host}${path}${query}`;
};
