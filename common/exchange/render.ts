import MarkdownIt, { type RendererRule } from "markdown-it";
import { MAX_PARSED } from "./contain.ts";

/**
 * A message's Markdown as HTML that belongs to nobody but the library: raw HTML is shown as text, links lead to the web or
 * to a mail only, pictures are the ones that the message carries itself. Each text is parsed alone, so no definition of
 * one message reaches another. Expects clean text.
 */
export const renderMarkdown = (text: string): string =>
  text.length > MAX_PARSED ? renderPlain(text) : markdown.render(text, {});

/** Text as it was typed. */
export const renderPlain = (text: string): string => `<pre class="plain">${escapeHtml(text)}</pre>\n`;

/** For text between tags and for attributes in double quotes. */
export const escapeHtml = (text: string): string =>
  text.replace(/[&<>"']/g, (character) => ESCAPES[character] ?? character);

/** True for a picture that a page may show without asking anybody. */
export const isPicture = (url: string): boolean =>
  /^data:image\/(?:png|jpeg|gif|webp);base64,[A-Za-z0-9+/]+={0,2}$/.test(url);

const ESCAPES: Readonly<Record<string, string>> = {
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  '"': "&quot;",
  "'": "&#39;",
};

const textOf = (attribute: string | number | null | undefined): string => String(attribute ?? "");

const isWebLink = (url: string): boolean => /^(?:https?:\/\/|mailto:)/i.test(url);

const markdown = new MarkdownIt({ html: false, linkify: false, typographer: false, breaks: false });
markdown.validateLink = (url) => isWebLink(url.trim()) || isPicture(url.trim());

const link: RendererRule = (tokens, index, options, _env, renderer) => {
  const token = tokens[index];
  if (token === undefined) return "";
  if (isWebLink(textOf(token.attrGet("href")))) token.attrSet("rel", "noreferrer noopener");
  // A picture may be shown, but is no place to go to.
  else token.attrs = null;
  return renderer.renderToken(tokens, index, options);
};

const picture: RendererRule = (tokens, index) => {
  const token = tokens[index];
  const source = textOf(token?.attrGet("src"));
  const label = escapeHtml(token?.content || "picture");
  if (isPicture(source)) return `<img src="${source}" alt="${label}">`;
  return `<a href="${escapeHtml(source)}" rel="noreferrer noopener">[${label}]</a>`;
};

markdown.renderer.rules.link_open = link;
markdown.renderer.rules.image = picture;
