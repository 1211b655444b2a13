import type { Message } from "../../../common/contracts/message.ts";
import type { Session } from "../../../common/contracts/session.ts";

export const NOW = 1_800_000_000;

export const sessionOf = (given: Partial<Session> = {}): Session => ({
  id: "ses_0001abcd",
  title: "A talk",
  title_source: "user",
  profile: "default",
  model: "m-1",
  workspace: null,
  source: "talaria",
  created_at: 1_790_000_000,
  updated_at: 1_790_000_100,
  last_message_at: 1_790_000_100,
  message_count: 0,
  revision: 1,
  active_run_id: null,
  pinned: false,
  archived: false,
  last_message: null,
  unread_count: 0,
  forked_from: null,
  ...given,
});

let count = 0;
export const messageOf = (given: Partial<Message> & Pick<Message, "role">): Message => ({
  id: `msg_${++count}`,
  session_id: "ses_0001abcd",
  run_id: null,
  content: "",
  status: "complete",
  origin: "talaria",
  created_at: 1_790_000_000 + count,
  ...given,
});

export async function* each<T>(items: Iterable<T>): AsyncIterable<T> {
  yield* items;
}

export const whole = async (pieces: AsyncIterable<string>): Promise<string> => {
  const all: string[] = [];
  for await (const piece of pieces) all.push(piece);
  return all.join("");
};

/** Texts that try to leave their place in a document. */
export const HOSTILE: readonly string[] = [
  "</script><script>alert(1)</script>",
  "</style><style>*{display:none}</style>",
  "</details></article></main><h1>gone</h1>",
  "<!-- swallowed",
  "<pre>\nswallowed",
  "<details>\n\nswallowed",
  "text <img src=x onerror=alert(1)> text",
  "`a` <b>x</b> `<i>`",
  "\\<svg onload=alert(1)>",
  "\\`<svg onload=alert(1)>`",
  "``` <x>\n<script>",
  "```js\nunclosed <b>",
  "~~~~\nunclosed\n~~~",
  "````\n```\n<b>\n```",
  "- item\n  ```\n  <script>alert(1)</script>",
  "> <script>\n> alert(1)",
  "| a | `b |\n|---|---|\n| <script> | c` |",
  "<div>\n```\n</div>\n<script>\n```",
  "[a](javascript:alert(1)) [b](JaVaScRiPt:alert(1)) [c](  vbscript:x)",
  "[a](data:text/html;base64,PHNjcmlwdD4=) <javascript:alert(1)> <data:text/html,x>",
  "![a](data:image/svg+xml;base64,PHN2Zz4=) ![b](javascript:alert(1)) ![c](https://x.example/p.png)",
  '[a](https://x.example/"onmouseover="alert(1)) [b](https://x.example "\\" onclick=alert(1)")',
  "[a]: javascript:alert(1)\n\n[a]",
  "&lt;script&gt; &amp; &#60;script&#62; &",
  "nul \u0000 esc \u001b[31mred\u001b[0m bell \u0007 half \ud800 c1 \u009b crlf\r\nx\rY",
  "<?php x ?> <![CDATA[ x ]]> <!DOCTYPE html>",
  "# heading\n<style>",
];
