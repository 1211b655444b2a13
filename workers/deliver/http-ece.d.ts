/** What is used of `http_ece`, which brings no types. */
declare module "http_ece" {
  import type { ECDH } from "node:crypto";

  const ece: {
    encrypt(
      text: Buffer,
      to: {
        readonly version: "aes128gcm";
        readonly privateKey: ECDH;
        /** The receiver's public key and secret, base64url. */
        readonly dh: string;
        readonly authSecret: string;
      },
    ): Buffer;
  };
  export default ece;
}
