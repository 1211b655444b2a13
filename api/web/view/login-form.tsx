import { useEffect, useRef, useState } from "react";
import { WingMark } from "./icons.tsx";

/** Lies over the page, which keeps its text and its cursor. */
export const LoginForm = ({
  signIn,
}: {
  /** Null, or why not. Never rejects. */
  readonly signIn: (password: string) => Promise<string | null>;
}) => {
  const dialog = useRef<HTMLDialogElement>(null);
  const field = useRef<HTMLInputElement>(null);
  const [error, setError] = useState<string | null>(null);
  const [busy, setBusy] = useState(false);
  // A modal dialog, and opened last: it also lies over dialogs that were open, which keep what is in them.
  const open = (): void => {
    dialog.current?.showModal();
    field.current?.focus();
  };
  useEffect(open, []);
  return (
    <dialog
      ref={dialog}
      className="login"
      aria-labelledby="login-title"
      onCancel={(event) => event.preventDefault()}
      onClose={open}
    >
      <form
        className="login-card"
        onSubmit={(event) => {
          event.preventDefault();
          setBusy(true);
          void signIn(field.current?.value ?? "").then((message) => {
            setBusy(false);
            setError(message);
          });
        }}
      >
        <WingMark />
        <h1 id="login-title">Sign in to Talaria</h1>
        <label>
          Password
          <input ref={field} type="password" autoComplete="current-password" required />
        </label>
        {error !== null && (
          <p className="form-error" role="alert">
            {error}
          </p>
        )}
        <button className="button primary" type="submit" disabled={busy}>
          {busy ? "Signing in…" : "Sign in"}
        </button>
      </form>
    </dialog>
  );
};
