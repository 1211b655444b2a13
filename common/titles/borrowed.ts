/**
 * True for a Latin word that titles in other scripts may hold: the user wrote it, it is shaped like a technical name (API,
 * GitHub, Node.js, utf-8, C++), or it is a well-known one (background-jobs 1.3: borrowed technical words are allowed).
 */
export const isBorrowed = (word: string, userWords: ReadonlySet<string>): boolean => {
  const lower = word.toLowerCase();
  return (
    userWords.has(lower) || userWords.has(lower.replace(/s$/, "")) || KNOWN.has(lower) || TECHNICAL.test(word)
  );
};

/** Runs of Latin letters with what technical names join them by. */
export const LATIN_WORDS = /\p{Script=Latin}[\p{Script=Latin}\p{M}\p{N}.+#_'’/-]*/gu;

/** The Latin words of a text, folded. */
export const latinWords = (text: string): ReadonlySet<string> =>
  new Set([...text.matchAll(LATIN_WORDS)].map(([word]) => word.replace(/[.'’/-]+$/, "").toLowerCase()));

const TECHNICAL = /\d|[a-z][A-Z]|\p{L}[.+#_/]\p{L}|[+#]|^[A-Z]{1,6}s?$/u;

const KNOWN = new Set(
  `airtable alexa amazon android angular ansible apache apple arduino aws azure bash bing bitcoin blender bluetooth bootstrap
  bot canva chatbot chatgpt chrome claude cloud cloudflare cobol confluence cron css csv curl dart debian deepseek discord
  django docker drupal eclipse edge elasticsearch electron elixir email emacs ethereum excel express facebook fastapi fedora
  figma firebase firefox flask flutter fortran gemini git github gitlab gmail go golang google gradle grafana graphql hadoop
  haskell helm heroku homebrew html http https instagram ios ipad iphone java javascript jenkins jest jira jquery json julia
  jupyter kafka keras kotlin kubernetes lambda laravel latex linkedin linux llama llm lua mac macos mariadb markdown matlab
  maven messenger microsoft minecraft minio mistral mongodb mysql netflix netlify nextcloud nginx node nodejs notebook notion
  npm numpy nvidia oauth obsidian ollama online openai opencv oracle outlook pandas pdf perl php pip pixel pnpm podcast
  postgres postgresql power powerpoint powershell prettier prisma prometheus pytest python pytorch rails raspberry react redis
  redux regex rest roblox ruby rust safari salesforce sass scala scrum scipy selenium server shell shopify siri slack
  smartphone spark spotify spring sql sqlite ssh ssl steam stripe svelte swift symfony tableau tailwind teams telegram
  tensorflow terraform tesla tiktok token twitter typescript ubuntu unicode unity unix unreal usb vercel vim vite vpn vue web
  webpack webrtc websocket whatsapp wifi wikipedia windows word wordpress xcode xml yaml yarn youtube zoom`.split(
    /\s+/,
  ),
);
