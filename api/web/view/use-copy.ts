import { useState } from "react";

const SHOWN_MS = 1_500;

/** Puts text on the clipboard; `copied` is true for a moment after it is there. A browser that refuses changes nothing. */
export const useCopy = (): { readonly copied: boolean; copy(text: string): void } => {
  const [copied, setCopied] = useState(false);
  return {
    copied,
    copy(text) {
      // Without TLS, on another address than this machine's, there is no clipboard.
      navigator.clipboard?.writeText(text).then(
        () => {
          setCopied(true);
          setTimeout(() => setCopied(false), SHOWN_MS);
        },
        () => undefined,
      );
    },
  };
};
