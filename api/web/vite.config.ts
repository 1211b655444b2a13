import { fileURLToPath } from "node:url";
import react from "@vitejs/plugin-react";
import { defineConfig } from "vite";

const here = fileURLToPath(new URL(".", import.meta.url));

/** Builds the page into `dist`; in development, `/api` goes to a server started with `npm start`. */
export default defineConfig({
  root: here,
  plugins: [react()],
  resolve: {
    alias: {
      // Its browser edition decodes entities by assigning innerHTML, which Trusted Types refuse.
      "decode-named-character-reference": fileURLToPath(
        new URL("../../node_modules/decode-named-character-reference/index.js", import.meta.url),
      ),
    },
  },
  build: {
    outDir: "dist",
    emptyOutDir: true,
    target: "es2022",
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    chunkSizeWarningLimit: 1_000,
    rolldownOptions: {
      input: { page: `${here}index.html`, "push-worker": `${here}push-worker.ts` },
      output: {
        // The service worker keeps its address: browsers look there for a newer one.
        entryFileNames: ({ name }) => (name === "push-worker" ? "push-worker.js" : "assets/[name]-[hash].js"),
      },
    },
  },
  server: { proxy: { "/api": "http://127.0.0.1:8787" } },
});
