import { createHash } from "node:crypto";

/** What bull-board would put into its template. */
export interface PageValues {
  readonly basePath: string;
  readonly title: string;
  /** JSON without `<` and `>`. */
  readonly uiConfig: string;
}

/** The one inline style of bull-board's components; it hides bars beside lists that scroll by themselves. */
const INLINE_STYLE =
  ".base-ui-disable-scrollbar{scrollbar-width:none}.base-ui-disable-scrollbar::-webkit-scrollbar{display:none}";

/** What the page may load: its own files and one inline style, nothing else. See `createDashboard` for how it differs from the policy of other pages. */
export const DASHBOARD_POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  `style-src 'self' 'sha256-${createHash("sha256").update(INLINE_STYLE).digest("base64")}'`,
  "connect-src 'self'",
  "font-src 'self'",
  "img-src 'self' data:",
  "worker-src 'self'",
  "base-uri 'self'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join("; ");

/**
 * bull-board's page without what its own template adds: fonts of another host, and inline styles. Only the scripts and style sheets that
 * the template names are taken from it. Throws where it names none: it is another version than the one that this was written for.
 */
export const dashboardPage = (template: string): ((values: PageValues) => string) => {
  const scripts = filesOf(template, /<script defer src="(static\/js\/[\w.-]+\.js)"><\/script>/g);
  const styles = filesOf(template, /<link href="(static\/css\/[\w.-]+\.css)" rel="stylesheet">/g);
  return ({ basePath, title, uiConfig }) => `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="robots" content="noindex">
<base href="${escaped(basePath)}">
<title>${escaped(title)}</title>
<link rel="icon" type="image/svg+xml" id="fav-logo" href="static/images/logo.svg">
${styles.map((file) => `<link rel="stylesheet" href="${file}">`).join("\n")}
</head>
<body class="preload">
<script id="__UI_CONFIG__" type="application/json">${uiConfig}</script>
<div id="root">Loading …</div>
${scripts.map((file) => `<script defer src="${file}"></script>`).join("\n")}
</body>
</html>
`;
};

const filesOf = (template: string, pattern: RegExp): readonly string[] => {
  const files = [...template.matchAll(pattern)].map(([, file]) => file ?? "");
  if (files.length === 0) throw new Error("bull-board's page is not the one that is known here");
  return files;
};

const escaped = (text: string): string => text.replaceAll(/[&<>"']/g, (char) => `&#${char.charCodeAt(0)};`);
