import { StrictMode } from "react";
import { createRoot } from "react-dom/client";
import { createApi } from "./net/http.ts";
import {
  beforePaint,
  browserDrafts,
  browserProfileChoice,
  browserRoute,
  browserSurroundings,
} from "./runtime/browser.ts";
import { createWorkbench } from "./runtime/create-workbench.ts";
import { createNotifications } from "./runtime/notifications.ts";
import { createOperations } from "./runtime/operations.ts";
import { browserPush } from "./runtime/push.ts";
import "./styles/main.css";
import { App } from "./view/app.tsx";
import { NotificationsContext } from "./view/notify-switch.tsx";
import { OperationsPage } from "./view/operations.tsx";
import { WorkbenchContext } from "./view/use-workbench.ts";

const request: typeof fetch = (input, init) => fetch(input, init);
const api = createApi({ fetch: request, timeoutMs: 20_000 });

/** The operator's page is by itself, so that looking at a server in trouble opens no stream and reads no session. */
const operationsPage = () => {
  const operations = createOperations({
    api,
    surroundings: browserSurroundings(),
    every: (work, ms) => void setInterval(work, ms),
  });
  return <OperationsPage operations={operations} />;
};

const workbenchPage = () => {
  const workbench = createWorkbench({
    api,
    fetch: request,
    surroundings: browserSurroundings(),
    drafts: browserDrafts(),
    profileChoice: browserProfileChoice(),
    route: browserRoute(),
    schedule: beforePaint,
  });
  const notifications = createNotifications({
    api,
    push: browserPush(),
    surroundings: browserSurroundings(),
  });
  return (
    <WorkbenchContext value={workbench}>
      <NotificationsContext value={notifications}>
        <App />
      </NotificationsContext>
    </WorkbenchContext>
  );
};

const root = document.getElementById("root");
if (root !== null)
  createRoot(root).render(
    <StrictMode>{location.pathname === "/ops" ? operationsPage() : workbenchPage()}</StrictMode>,
  );
