import { memo, useEffect } from "react";
import type { Toast } from "../model/app-state.ts";
import { AlertIcon, CloseIcon } from "./icons.tsx";
import { useWorkbench } from "./use-workbench.ts";

const SHOWN_MS = 12_000;

export const Toasts = memo(function Toasts({ toasts }: { readonly toasts: readonly Toast[] }) {
  return (
    <div className="toasts" role="alert">
      {toasts.map((toast) => (
        <ToastCard key={toast.id} toast={toast} />
      ))}
    </div>
  );
});

const ToastCard = ({ toast }: { readonly toast: Toast }) => {
  const workbench = useWorkbench();
  useEffect(() => {
    const timer = setTimeout(() => workbench.closeToast(toast.id), SHOWN_MS);
    return () => clearTimeout(timer);
  }, [workbench, toast.id]);
  return (
    <div className="toast" data-tone={toast.tone}>
      <AlertIcon />
      <p>
        {toast.text} {toast.code !== null && <code>{toast.code}</code>}
      </p>
      <button
        className="icon-button small"
        type="button"
        aria-label="Dismiss"
        onClick={() => workbench.closeToast(toast.id)}
      >
        <CloseIcon />
      </button>
    </div>
  );
};
