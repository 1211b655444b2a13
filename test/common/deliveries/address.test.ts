import { describe, expect, test } from "@jest/globals";
import { mayConnect, refusalOf } from "../../../common/deliveries/address.ts";
import { maskUrl } from "../../../common/deliveries/mask-url.ts";

const NONE = { privateTargets: [] };
const SOME = { privateTargets: ["127.0.0.1:9000", "hooks.internal:80", "[::1]:443", "169.254.169.254:80"] };

describe("addresses that somebody gives (security-contract 11, 85 to 90)", () => {
  test.each([
    ...["http://169.254.169.254/latest", "http://[fd00:ec2::254]/", "http://[::ffff:169.254.169.254]/"],
    ...["http://[::ffff:127.0.0.1]/", "http://2130706433/", "http://0x7f.1/", "http://0/", "http://0.0.0.0/"],
    ...[
      "http://127.0.0.1/",
      "http://10.1.2.3/",
      "http://172.16.0.1/",
      "http://192.168.0.1/",
      "http://100.64.0.1/",
    ],
    ...[
      "http://[::1]/",
      "http://[fe80::1]/",
      "http://[fc00::1]/",
      "http://[64:ff9b::7f00:1]/",
      "http://[2002:7f00:1::]/",
    ],
    ...["http://localhost/", "http://LOCALHOST./", "http://a.localhost/", "http://metadata.google.internal/"],
    ...["ftp://x.example/", "file:///etc/passwd", "gopher://x.example/", "javascript:1", "", "//x.example"],
    ...["https://user:secret@x.example/", "https://user@x.example/"],
  ])("%s is refused", (url) => {
    expect(refusalOf(url, NONE)).not.toBeNull();
  });

  test.each(["https://x.example/hook?key=1", "http://8.8.8.8:8080/", "http://[2606:4700::1]/"])(
    "%s is not",
    (url) => {
      expect(refusalOf(url, NONE)).toBeNull();
    },
  );

  test("private ones only where host and port are on the list, link-local ones never", () => {
    expect(refusalOf("http://127.0.0.1:9000/x", SOME)).toBeNull();
    expect(refusalOf("http://hooks.internal/", SOME)).toBeNull();
    expect(refusalOf("https://[::1]/", SOME)).toBeNull();
    for (const url of ["http://127.0.0.1:9001/", "http://127.0.0.2:9000/", "https://hooks.internal/"])
      expect(refusalOf(url, SOME)).not.toBeNull();
    expect(refusalOf("http://169.254.169.254/", SOME)).not.toBeNull();
  });

  test("push services have https addresses", () => {
    expect(refusalOf("http://push.example/", NONE, true)).not.toBeNull();
    expect(refusalOf("https://push.example/", NONE, true)).toBeNull();
  });

  test("what is no address is none that may be connected to", () => {
    for (const address of ["", "x", "127.1", "1.2.3.4.5"]) expect(mayConnect(address, true)).toBe(false);
  });
});

test("an address is shown without what may be a key", () => {
  expect(maskUrl("https://x.example:8443/hooks/T0123/abcdefghijklmnopqrstuvwxyz?room=1&key=s3cret#top")).toBe(
    "https://x.example:8443/hooks/T0123/…?room=…&key=…",
  );
  expect(maskUrl("https://x.example/?s3cret-in-the-name-of-a-value")).toBe("https://x.example/?…=…");
  expect(maskUrl("nonsense")).toBe("…");
});
