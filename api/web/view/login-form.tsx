import { useEffect, useRef, useState } from "react";
import { WingMark } from "./icons.tsx";
import { useWorkbench } from "./use-workbench.ts";

/** Lies over the page, which keeps its text and its cursor. */
export const LoginForm = () => {
  const workbench = useWorkbench();
  const field = useRef<HTMLInputElement>(null);
  const [error, setError] = useState<string | null>(null);
  const [busy, setBusy] = useState(false);
  useEffect(() => field.current?.focus(), []);
  return (
    <div className="login" role="dialog" aria-modal="true" aria-labelledby="login-title">
      <form
        className="login-card"
        onSubmit={(event) => {
          event.preventDefault();
          setBusy(true);
          void workbench.signIn(field.current?.value ?? "").then((message) => {
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
    </div>
  );
};
