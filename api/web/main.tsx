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
import "./styles/main.css";
import { App } from "./view/app.tsx";
import { WorkbenchContext } from "./view/use-workbench.ts";

const request: typeof fetch = (input, init) => fetch(input, init);
const workbench = createWorkbench({
  api: createApi({ fetch: request, timeoutMs: 20_000 }),
  fetch: request,
  surroundings: browserSurroundings(),
  drafts: browserDrafts(),
  profileChoice: browserProfileChoice(),
  route: browserRoute(),
  schedule: beforePaint,
});

const root = document.getElementById("root");
if (root !== null)
  createRoot(root).render(
    <StrictMode>
      <WorkbenchContext value={workbench}>
        <App />
      </WorkbenchContext>
    </StrictMode>,
  );
